//! The pages of requests to the matchmaker. A statement with more tickets than fit in one payload is split into pages;
//! its receiver gets the whole statement or none of it.

use std::collections::BTreeMap;

use tiltyard_core::{
    instance::InstanceId,
    matchmaking::{pool::Renewal, proposals::Request, proposals::home::MAX_OPEN, ticket::Ticket},
    packed,
};

use crate::fleet::messages::RequestPage;

/// The maximum size of a page's tickets in bytes.
const PAGE_BYTES: usize = 16 * 1024;

/// The maximum number of pages of a statement.
const MAX_PAGES: u16 = 1_024;

/// The maximum number of incomplete statements. The oldest are dropped: each is sent anew after 2 s.
const MAX_PARTIAL: usize = 1_000;

/// Splits a request into pages.
pub(super) fn pages(request: Request, sent_ms: u64) -> Vec<RequestPage> {
    let Request::Renew(Renewal { home, number, tickets }) = request else {
        return vec![RequestPage { sent_ms, page: 0, pages: 1, request }];
    };
    let mut parts = vec![Vec::new()];
    let mut bytes = 0;
    for ticket in tickets {
        bytes += packed::pack(&ticket).len();
        if bytes > PAGE_BYTES {
            bytes = 0;
            parts.push(Vec::new());
        }
        parts.last_mut().expect("there is one").push(ticket);
    }
    parts.truncate(usize::from(MAX_PAGES));
    let pages = parts.len() as u16;
    let numbered = |(page, tickets)| {
        let request = Request::Renew(Renewal { home, number, tickets });
        RequestPage { sent_ms, page, pages, request }
    };
    (0..).zip(parts).map(numbered).collect()
}

/// Incomplete statements, the newest of each home.
#[derive(Debug, Default)]
pub(super) struct Statements(BTreeMap<InstanceId, Partial>);

#[derive(Debug)]
struct Partial {
    number: u64,
    sent_ms: u64,
    pages: Vec<Option<Vec<Ticket>>>,
}

impl Statements {
    /// Adds a page. Returns its request once all pages have arrived.
    pub(super) fn take(&mut self, page: RequestPage) -> Option<Request> {
        let RequestPage { sent_ms, page, pages, request } = page;
        let Request::Renew(Renewal { home, number, tickets }) = request else { return Some(request) };
        if pages <= 1 {
            return Some(Request::Renew(Renewal { home, number, tickets }));
        }
        if pages > MAX_PAGES || page >= pages {
            return None;
        }
        let fresh = || Partial { number, sent_ms, pages: vec![None; usize::from(pages)] };
        let partial = self.0.entry(home).or_insert_with(fresh);
        if partial.number > number {
            return None;
        }
        if partial.number < number || partial.pages.len() != usize::from(pages) {
            *partial = fresh();
        }
        partial.pages[usize::from(page)] = Some(tickets);
        let whole = partial.pages.iter().all(Option::is_some);
        let named: usize = partial.pages.iter().flatten().map(Vec::len).sum();
        if !whole && named <= MAX_OPEN {
            self.make_room();
            return None;
        }
        let Partial { pages, .. } = self.0.remove(&home).expect("it is there");
        let tickets = pages.into_iter().flatten().flatten().collect();
        whole.then_some(Request::Renew(Renewal { home, number, tickets }))
    }

    fn make_room(&mut self) {
        while self.0.len() > MAX_PARTIAL {
            let oldest = self.0.iter().min_by_key(|(_, partial)| partial.sent_ms).map(|(home, _)| *home);
            oldest.and_then(|home| self.0.remove(&home));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tiltyard_core::matchmaking::{SessionId, TicketId, ticket::Member};
    use uuid::Uuid;

    use super::*;
    use crate::bus::{PAYLOAD_BYTES, Payload};

    fn statement(number: u64, tickets: u128) -> Request {
        let home = InstanceId::new("eu-1").unwrap();
        let ticket = |n| Ticket {
            id: TicketId(Uuid::from_u128(n)),
            home,
            mode: "teams".to_owned(),
            party: vec![Member { player: SessionId(Uuid::from_u128(n)), rating: 1_500 }],
            regions: Vec::new(),
            waited: Duration::from_secs(3),
        };
        Request::Renew(Renewal { home, number, tickets: (0..tickets).map(ticket).collect() })
    }

    #[test]
    fn a_long_statement_goes_in_pages_and_arrives_whole_in_any_order() {
        let mut pages = pages(statement(7, 2_000), 5);
        assert!(pages.len() > 5);
        assert!(pages.iter().all(|page| Payload::of(page).as_bytes().len() <= PAYLOAD_BYTES));
        pages.reverse();
        pages.swap(0, 3);
        let last = pages.pop().unwrap();
        let mut statements = Statements::default();
        for page in pages {
            assert_eq!(statements.take(page.clone()), None);
            assert_eq!(statements.take(page), None, "twice is once");
        }
        assert_eq!(statements.take(last), Some(statement(7, 2_000)));
        assert!(statements.0.is_empty());
    }

    #[test]
    fn a_newer_statement_takes_the_place_of_an_older_one() {
        let (old, new) = (pages(statement(7, 600), 5), pages(statement(8, 400), 6));
        assert_ne!(old.len(), new.len(), "also with fewer pages");
        let mut statements = Statements::default();
        assert_eq!(statements.take(old[0].clone()), None);
        assert_eq!(statements.take(new[0].clone()), None);
        assert!(old[1..].iter().all(|page| statements.take(page.clone()).is_none()));
        let whole: Vec<_> = new[1..].iter().filter_map(|page| statements.take(page.clone())).collect();
        assert_eq!(whole, [statement(8, 400)]);
    }

    #[test]
    fn pages_that_cannot_be_are_passed_over() {
        let mut page = pages(statement(1, 600), 5).swap_remove(1);
        (page.page, page.pages) = (9, 2);
        assert_eq!(Statements::default().take(page.clone()), None);
        page.pages = u16::MAX;
        assert_eq!(Statements::default().take(page), None);
    }
}
