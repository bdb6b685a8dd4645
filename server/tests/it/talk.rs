//! What a client says and hears in channels.

use std::net::SocketAddr;

use tiltyard_shared::protocol::{ClientMessage, Code, ServerMessage, chat::JoinChannel};

use crate::client::Client;

/// What a client is told of channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// By whom, and what.
    Said(String, String),
    /// Who is visible.
    Present(Vec<String>),
    Refused(Code),
}

/// What somebody of this name said.
pub(crate) fn said(name: &str, text: &str) -> Told {
    Told::Said(name.to_owned(), text.to_owned())
}

impl Client {
    /// A connection that is in the lobby's channel.
    pub(crate) async fn talking(addr: SocketAddr, name: &str, visible: bool) -> Self {
        let mut client = Self::welcome(addr).await;
        client.attend("lobby", name, visible).await;
        assert!(matches!(client.told().await, Told::Present(_)));
        client
    }

    pub(crate) async fn attend(&mut self, channel: &str, name: &str, visible: bool) {
        let wish = JoinChannel { request: 6, channel: channel.to_owned(), name: name.to_owned(), visible };
        self.say(&ClientMessage::JoinChannel(wish)).await;
    }

    pub(crate) async fn talk(&mut self, channel: &str, text: &str) {
        self.say(&ClientMessage::SendMessage { request: 5, channel: channel.to_owned(), text: text.to_owned() }).await;
    }

    /// The next thing that it is told.
    pub(crate) async fn told(&mut self) -> Told {
        match self.control().await {
            ServerMessage::ChannelMessage { name, text, .. } => Told::Said(name, text),
            ServerMessage::Present { visible, names, .. } => {
                assert_eq!(visible as usize, names.len());
                self.present.clone_from(&names);
                Told::Present(names)
            }
            ServerMessage::Refused { code, message, .. } => {
                assert_eq!(message, code.to_string());
                Told::Refused(code)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The next thing beside who is there.
    pub(crate) async fn heard(&mut self) -> Told {
        loop {
            match self.told().await {
                Told::Present(_) => {}
                told => return told,
            }
        }
    }

    /// Waits until these are visible; what is said meanwhile is not heard.
    pub(crate) async fn until_present(&mut self, names: &[&str]) {
        while self.present != names {
            self.told().await;
        }
    }
}
