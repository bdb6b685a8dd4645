//! What is to be run: profiles, clients, and whether in short.

use std::{env, time::Duration};

use anyhow::ensure;
use tiltyard_lab::{Profile, Tunnel};

use crate::{child::Kind, run::Job};

/// The profiles of the short form, those that the page is in, too, and how long a game on one lasts at most.
const SHORT: [&str; 7] = ["good", "wifi", "4g", "jitter-150", "step-up-600", "train", "half-open"];
const SHORT_PAGE: [&str; 2] = ["good", "step-up-600"];
const SHORT_LENGTH: Duration = Duration::from_secs(40);

/// The profiles that are also played over real packets.
const TUNNELS: [&str; 3] = ["4g", "3g", "lossy"];

/// What was asked for.
pub(crate) struct Wish {
    /// All if empty. A name also means those that begin with it and a dash, if these are steps.
    profiles: Vec<String>,
    /// All if empty.
    clients: Vec<String>,
    short: bool,
}

impl Wish {
    /// By `PROFILE`, `CLIENT` and `SHORT`.
    pub(crate) fn from_env() -> Self {
        let words = |name: &str| env::var(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let short = env::var_os("SHORT").is_some_and(|short| !short.is_empty());
        Self { profiles: words("PROFILE"), clients: words("CLIENT"), short }
    }

    /// All runs, in the order of the table.
    pub(crate) fn jobs(&self) -> anyhow::Result<Vec<Job>> {
        let tunnels = !self.short && has_tunnels();
        let mut jobs: Vec<Job> = Vec::new();
        for profile in Profile::all().into_iter().filter(|profile| self.means(&profile.name)) {
            let profile = if self.short { shortened(profile) } else { profile };
            for kind in Kind::ALL.into_iter().filter(|kind| self.plays(&profile.name, *kind)) {
                let tunnel = tunnels && TUNNELS.contains(&profile.name.as_str());
                for tunnel in [false].into_iter().chain(tunnel.then_some(true)) {
                    let seed = jobs.len() as u64 + 1;
                    jobs.push(Job { profile: profile.clone(), kind, seed, tunnel });
                }
            }
        }
        ensure!(!jobs.is_empty(), "no profile and client of these names");
        Ok(jobs)
    }

    fn means(&self, name: &str) -> bool {
        let is_of_steps = |wanted: &String| wanted.starts_with("step-") && name.starts_with(&format!("{wanted}-"));
        match self.profiles[..] {
            [] if self.short => SHORT.contains(&name),
            [] => true,
            _ => self.profiles.iter().any(|wanted| name == wanted || is_of_steps(wanted)),
        }
    }

    /// Whether this profile says something of this client, and it is wanted.
    fn plays(&self, name: &str, kind: Kind) -> bool {
        let is_meant = match name {
            "hidden" => kind == Kind::Page,
            "deploy" => kind == Kind::Rust,
            _ => true,
        };
        let is_wanted = match self.clients[..] {
            [] => kind != Kind::Page || !self.short || !self.profiles.is_empty() || SHORT_PAGE.contains(&name),
            _ => self.clients.iter().any(|wanted| wanted == kind.name()),
        };
        is_meant && is_wanted
    }
}

fn shortened(profile: Profile) -> Profile {
    let length = profile.length.min(SHORT_LENGTH);
    let steps = profile.steps.iter().filter(|step| step.at < length).copied().collect();
    Profile { length, steps, ..profile }
}

fn has_tunnels() -> bool {
    match Tunnel::open(&Profile::all()[0], 1) {
        Ok(_) => true,
        Err(error) => {
            println!("SKIPPED: lines with real packets: {error}");
            false
        }
    }
}
