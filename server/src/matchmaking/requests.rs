//! The pages of requests to the matchmaker. Small requests go together; a statement with more tickets than fit in one
//! payload is split into pages, and its receiver gets the whole statement or none of it.

use std::{collections::BTreeMap, time::Duration};

use tiltyard_core::{
    instance::InstanceId,
    matchmaking::{
        pool::{FORGET, Renewal},
        proposals::{Request, home::MAX_OPEN, outbox::BATCH},
        ticket::Ticket,
    },
    packed::{self, Packed},
};

use crate::fleet::messages::RequestPage;

/// The maximum size of a page's requests in bytes, unless there is only one.
const PAGE_BYTES: usize = 16 * 1024;

/// The maximum number of pages of a statement.
const MAX_PAGES: u16 = 1_024;

/// The maximum memory of incomplete statements. Beyond it the oldest are dropped: each is sent anew after 2 s.
const PARTIAL_BYTES: usize = 16 * 1024 * 1024;

/// Splits a statement into pages, and puts other requests together, all in their order.
pub(super) fn pages(requests: Vec<Request>, sent_ms: u64) -> Vec<RequestPage> {
    let mut pages = Vec::new();
    let (mut together, mut bytes) = (Vec::new(), 0);
    for request in requests {
        let packed = match request {
            Request::Renew(renewal) => {
                send_together(&mut pages, &mut together, sent_ms);
                bytes = 0;
                pages.extend(pages_of_statement(renewal, sent_ms));
                continue;
            }
            request => Packed::of(&request),
        };
        if bytes + packed.size() > PAGE_BYTES || together.len() == BATCH {
            send_together(&mut pages, &mut together, sent_ms);
            bytes = 0;
        }
        bytes += packed.size();
        together.push(packed);
    }
    send_together(&mut pages, &mut together, sent_ms);
    pages
}

fn send_together(pages: &mut Vec<RequestPage>, together: &mut Vec<Packed<Request>>, sent_ms: u64) {
    if !together.is_empty() {
        pages.push(RequestPage { sent_ms, page: 0, pages: 1, requests: std::mem::take(together) });
    }
}

fn pages_of_statement(renewal: Renewal, sent_ms: u64) -> impl Iterator<Item = RequestPage> {
    let Renewal { home, number, tickets } = renewal;
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
    let numbered = move |(page, tickets)| {
        let request = Request::Renew(Renewal { home, number, tickets });
        RequestPage { sent_ms, page, pages, requests: vec![Packed::of(&request)] }
    };
    (0..).zip(parts).map(numbered)
}

/// Incomplete statements, the newest of each home.
#[derive(Debug, Default)]
pub(super) struct Statements {
    partial: BTreeMap<InstanceId, Partial>,
    /// The memory of all of them in bytes.
    bytes: usize,
}

#[derive(Debug)]
struct Partial {
    number: u64,
    /// When its first page came.
    since: Duration,
    pages: Vec<Option<Vec<Ticket>>>,
    bytes: usize,
}

impl Partial {
    fn new(now: Duration, number: u64, pages: u16) -> Self {
        let pages = vec![None; usize::from(pages)];
        let bytes = size_of::<Self>() + pages.len() * size_of::<Option<Vec<Ticket>>>();
        Self { number, since: now, pages, bytes }
    }
}

impl Statements {
    /// Adds the part of a statement on this page. Returns the statement once all pages have arrived.
    pub(super) fn take(&mut self, now: Duration, page: &RequestPage, part: Request) -> Option<Request> {
        let RequestPage { page, pages, .. } = *page;
        let Request::Renew(Renewal { home, number, tickets }) = part else { return Some(part) };
        if pages <= 1 {
            return Some(Request::Renew(Renewal { home, number, tickets }));
        }
        if pages > MAX_PAGES || page >= pages {
            return None;
        }
        let mut partial = self.remove(home).unwrap_or_else(|| Partial::new(now, number, pages));
        if partial.number > number {
            self.insert(home, partial);
            return None;
        }
        if partial.number < number || partial.pages.len() != usize::from(pages) {
            partial = Partial::new(now, number, pages);
        }
        let memory = |tickets: &Vec<Ticket>| tickets.iter().map(Ticket::memory).sum::<usize>();
        partial.bytes += memory(&tickets);
        let again = partial.pages[usize::from(page)].replace(tickets);
        partial.bytes -= again.as_ref().map_or(0, memory);
        let whole = partial.pages.iter().all(Option::is_some);
        let named: usize = partial.pages.iter().flatten().map(Vec::len).sum();
        if !whole && named <= MAX_OPEN {
            self.insert(home, partial);
            self.make_room(now);
            return None;
        }
        let tickets = partial.pages.into_iter().flatten().flatten().collect();
        whole.then_some(Request::Renew(Renewal { home, number, tickets }))
    }

    fn insert(&mut self, home: InstanceId, partial: Partial) {
        self.bytes += partial.bytes;
        self.partial.insert(home, partial);
    }

    fn remove(&mut self, home: InstanceId) -> Option<Partial> {
        let partial = self.partial.remove(&home)?;
        self.bytes -= partial.bytes;
        Some(partial)
    }

    /// Drops statements that are too old to be taken, and the oldest others while they are too large.
    fn make_room(&mut self, now: Duration) {
        while let Some((home, since)) = self.oldest()
            && (self.bytes > PARTIAL_BYTES || since + FORGET < now)
        {
            self.remove(home);
        }
    }

    fn oldest(&self) -> Option<(InstanceId, Duration)> {
        let all = self.partial.iter().map(|(home, partial)| (*home, partial.since));
        all.min_by_key(|(_, since)| *since)
    }
}

#[cfg(test)]
mod tests {
    use tiltyard_core::matchmaking::{
        PlayerKey, SessionId, TicketId,
        ticket::{Distance, Member},
    };
    use uuid::Uuid;

    use super::*;
    use crate::bus::{PAYLOAD_BYTES, Payload};

    const NOW: Duration = Duration::from_secs(100);

    fn member(number: u128) -> Member {
        let id = Uuid::from_u128(number);
        Member { player: SessionId(id), key: PlayerKey(id), rating: 1_500 }
    }

    fn pages(request: Request, sent_ms: u64) -> Vec<RequestPage> {
        super::pages(vec![request], sent_ms)
    }

    fn take(statements: &mut Statements, now: Duration, page: &RequestPage) -> Option<Request> {
        let part = page.known().unwrap().remove(0);
        statements.take(now, page, part)
    }

    fn statement(number: u64, tickets: u128) -> Request {
        statement_of("eu-1", number, tickets)
    }

    fn statement_of(home: &str, number: u64, tickets: u128) -> Request {
        let home = InstanceId::new(home).unwrap();
        let ticket = |n| Ticket {
            id: TicketId(Uuid::from_u128(n)),
            home,
            mode: "teams".to_owned(),
            party: vec![member(n)],
            regions: Vec::new(),
            avoid: Vec::new(),
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
            assert_eq!(take(&mut statements, NOW, &page), None);
            assert_eq!(take(&mut statements, NOW, &page), None, "twice is once");
        }
        assert_eq!(take(&mut statements, NOW, &last), Some(statement(7, 2_000)));
        assert!(statements.partial.is_empty() && statements.bytes == 0);
    }

    #[test]
    fn a_newer_statement_takes_the_place_of_an_older_one() {
        let (old, new) = (pages(statement(7, 600), 5), pages(statement(8, 400), 6));
        assert_ne!(old.len(), new.len(), "also with fewer pages");
        let mut statements = Statements::default();
        assert_eq!(take(&mut statements, NOW, &old[0]), None);
        assert_eq!(take(&mut statements, NOW, &new[0]), None);
        assert!(old[1..].iter().all(|page| take(&mut statements, NOW, page).is_none()));
        let whole: Vec<_> = new[1..].iter().filter_map(|page| take(&mut statements, NOW, page)).collect();
        assert_eq!(whole, [statement(8, 400)]);
    }

    #[test]
    fn pages_that_cannot_be_are_passed_over() {
        let mut page = pages(statement(1, 600), 5).swap_remove(1);
        (page.page, page.pages) = (9, 2);
        assert_eq!(take(&mut Statements::default(), NOW, &page), None);
        page.pages = u16::MAX;
        assert_eq!(take(&mut Statements::default(), NOW, &page), None);
    }

    #[test]
    fn small_requests_go_together_and_keep_their_order() {
        let cancel = |number| Request::Cancel {
            home: InstanceId::new("eu-1").unwrap(),
            ticket: TicketId(Uuid::from_u128(number)),
        };
        let mut requests: Vec<_> = (0..300).map(cancel).collect();
        requests.insert(100, statement(7, 3));
        let pages = super::pages(requests.clone(), 5);
        let sizes: Vec<_> = pages.iter().map(|page| page.requests.len()).collect();
        assert_eq!((sizes[0], sizes[1], sizes.iter().sum::<usize>()), (100, 1, 301));
        assert!(sizes.iter().all(|size| *size <= BATCH));
        assert!(pages.iter().all(|page| Payload::of(page).as_bytes().len() <= PAYLOAD_BYTES));
        assert_eq!(pages.iter().flat_map(|page| page.known().unwrap()).collect::<Vec<_>>(), requests);
    }

    /// 100 first pages a second of statements that never become whole, of 1,000 homes, each ticket with 32 regions.
    #[test]
    fn what_never_becomes_whole_is_bounded_in_bytes_and_age() {
        let far = |n| Distance { region: format!("region-{n:02}"), ms: n };
        let regions: Vec<_> = (0..32).map(far).collect();
        let (mut statements, mut largest) = (Statements::default(), 0);
        for number in 0..2_000u32 {
            let Request::Renew(mut renewal) = statement_of(&format!("eu-{}", number % 1_000), number.into(), 40) else {
                unreachable!("a statement")
            };
            renewal.tickets.iter_mut().for_each(|ticket| ticket.regions = regions.clone());
            let now = NOW + Duration::from_millis(10) * number;
            let page = pages(Request::Renew(renewal), 5).swap_remove(0);
            assert!(page.pages > 1);
            assert_eq!(take(&mut statements, now, &page), None);
            largest = largest.max(statements.bytes);
            assert!(statements.partial.values().all(|partial| partial.since + FORGET >= now));
        }
        assert_eq!(statements.bytes, statements.partial.values().map(|partial| partial.bytes).sum::<usize>());
        assert!(largest > PARTIAL_BYTES / 2 && largest <= PARTIAL_BYTES, "{largest}");
    }
}
