//! Journals that show what must not be.

use super::*;

fn entry(bot: usize, rating: i32, what: What) -> Entry {
    Entry { at: Duration::from_secs(1), bot, party: bot, size: 1, rating, what }
}

fn matched(room: u128, waited: u64) -> What {
    let (id, waited) = (Uuid::from_u128(room), Duration::from_secs(waited));
    What::Matched { id, room: id, waited }
}

#[test]
fn a_journal_shows_what_must_not_be() {
    let id = Uuid::from_u128(1);
    let fine =
        [entry(1, 1_000, matched(1, 0)), entry(2, 1_090, matched(1, 0)), entry(1, 1_000, What::Left { id, room: id })];
    let nobody = BTreeSet::new();
    let report = Report::new("teams", 2, &nobody, &fine, Vec::new());
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.matched, report.matches, report.rating_spread.max), (2, 1, 90.0));
    let far = [entry(1, 1_000, matched(1, 30)), entry(2, 1_250, matched(1, 5))];
    assert_eq!(Report::new("teams", 2, &nobody, &far, Vec::new()).outside_windows, 1);
    let twice = [entry(1, 1_000, matched(1, 0)), entry(1, 1_000, matched(2, 0))];
    assert_eq!(Report::new("teams", 1, &nobody, &twice, Vec::new()).twice, 1);
    let out = What::Out { id, room: id, why: "unresponsive".to_owned() };
    let lost = [entry(1, 1_000, matched(1, 0)), entry(1, 1_000, out), entry(1, 1_000, What::Unmatched)];
    let report = Report::new("teams", 1, &nobody, &lost, Vec::new());
    assert_eq!((report.seats_lost(), report.interrupted, report.unmatched), (1, 1, 1));
}

#[test]
fn who_meets_the_same_no_show_again_is_seen() {
    let told = |id| entry(7, 1_000, What::Told { id: Uuid::from_u128(id) });
    let entered = |bot, id| entry(bot, 1_000, What::Entered { id: Uuid::from_u128(id), room: Uuid::from_u128(id) });
    let no_shows = BTreeSet::from([7]);
    let once = [told(1), entered(1, 1), entered(2, 1), entered(1, 2), entry(1, 1_000, matched(2, 25)), told(3)];
    let report = Report::new("teams", 2, &no_shows, &once, Vec::new());
    assert_eq!((report.no_shows_met, report.met_again, report.came), (2, 0, 2));
    assert_eq!((report.waiting.max, report.waiting_less_no_shows, report.waiting_undisturbed.max), (25.0, 15.0, 0.0));
    let again = [&once[..], &[entered(1, 3)]].concat();
    let report = Report::new("teams", 2, &no_shows, &again, Vec::new());
    assert!(report.met_again == 1 && !report.is_clean());
}
