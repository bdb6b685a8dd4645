//! Inputs against a server that counts, without a line.

use super::*;

const MS: Duration = Duration::from_millis(1);

fn pushed(inputs: &mut Inputs, payload: u8, now: Instant) -> u32 {
    inputs.push(Tick(1), vec![payload], now).unwrap()
}

/// The numbers of what goes out now.
fn taken(inputs: &mut Inputs, now: Instant) -> Vec<u32> {
    inputs.take(now).iter().map(|sent| sent.number).collect()
}

#[test]
fn numbers_rise_by_one_and_aims_never_fall() {
    let now = Instant::now();
    let mut inputs = Inputs::after(0, now);
    for (number, wanted) in [(1, 10), (2, 12), (3, 9), (4, 13)] {
        assert_eq!(inputs.push(Tick(wanted), vec![], now), Ok(number));
    }
    let aims: Vec<_> = inputs.take(now).iter().map(|sent| sent.aim.0).collect();
    assert_eq!(aims, [10, 12, 12, 13]);
}

#[test]
fn the_first_goes_at_once_and_what_follows_soon_goes_together() {
    let now = Instant::now();
    let mut inputs = Inputs::after(0, now);
    assert_eq!(inputs.deadline(), None);
    pushed(&mut inputs, 1, now);
    assert!(inputs.deadline().unwrap() <= now);
    assert_eq!(taken(&mut inputs, now), [1]);
    for _ in 0..3 {
        pushed(&mut inputs, 1, now + MS);
    }
    assert!(taken(&mut inputs, now + 15 * MS).is_empty());
    assert_eq!(inputs.deadline(), Some(now + 16 * MS));
    assert_eq!(taken(&mut inputs, now + 16 * MS), [2, 3, 4]);
}

#[test]
fn settled_inputs_are_told_once_with_their_time_and_the_rest_is_sent_again() {
    let now = Instant::now();
    let mut inputs = Inputs::after(0, now);
    for payload in 1..=5 {
        pushed(&mut inputs, payload, now);
    }
    inputs.take(now);
    assert_eq!(inputs.settle(2, now + 70 * MS), [(1, 70 * MS), (2, 70 * MS)]);
    assert!(inputs.settle(2, now + 80 * MS).is_empty());
    inputs.lost();
    assert!(taken(&mut inputs, now + 90 * MS).is_empty(), "there is no line");
    assert!(inputs.resume(3));
    assert_eq!(taken(&mut inputs, now + 90 * MS), [4, 5]);
    assert!(!inputs.resume(6), "input 6 was never sent");
}

#[test]
fn what_an_earlier_owner_had_settled_is_sent_again_to_one_that_does_not_have_it() {
    let now = Instant::now();
    let mut inputs = Inputs::after(0, now);
    for payload in 1..=5 {
        pushed(&mut inputs, payload, now);
    }
    inputs.take(now);
    inputs.settle(4, now);
    inputs.lost();
    assert_eq!(inputs.first_kept(), 1);
    assert!(inputs.resume(1));
    assert_eq!(taken(&mut inputs, now + 20 * MS), [2, 3, 4, 5]);
    assert_eq!(inputs.settle(5, now + 30 * MS), [(5, 30 * MS)], "nobody hears of the others twice");
    assert_eq!(inputs.under_way(), 0);
}

#[test]
fn settled_inputs_are_kept_for_ten_seconds_but_no_more_than_256() {
    let now = Instant::now();
    let mut inputs = Inputs::after(0, now);
    for _ in 0..300 {
        let number = pushed(&mut inputs, 1, now);
        inputs.settle(number, now);
    }
    assert_eq!(inputs.first_kept(), 45);
    pushed(&mut inputs, 1, now);
    inputs.settle(301, now + limits::KEPT_FOR);
    assert_eq!(inputs.first_kept(), 46);
    pushed(&mut inputs, 1, now);
    inputs.settle(302, now + limits::KEPT_FOR + MS);
    assert_eq!(inputs.first_kept(), 301);
    assert!(!inputs.resume(299), "input 300 is not here any more");
}

#[test]
fn a_full_queue_refuses_and_uses_no_number_up() {
    let now = Instant::now();
    let mut inputs = Inputs::after(0, now);
    for _ in 0..MOST {
        pushed(&mut inputs, 1, now);
    }
    assert_eq!(inputs.push(Tick(1), vec![], now), Err(NotSent::Full));
    assert_eq!(inputs.last(), MOST as u32);
}

#[test]
fn an_input_that_no_server_takes_is_refused_where_it_is_made_and_says_what_is_so_large() {
    #[derive(Serialize)]
    enum Act {
        Draw { color: u8, line: Line },
        Text(String),
    }
    #[derive(Serialize)]
    struct Line {
        width: u8,
        points: Vec<u16>,
    }
    let draw = |count| encode(&Act::Draw { color: 1, line: Line { width: 2, points: vec![7; count] } });
    assert_eq!(draw(limits::INPUT_BYTES - 6).map(|payload| payload.len()), Ok(limits::INPUT_BYTES));
    let field = "input.Draw.line.points".to_owned();
    assert_eq!(draw(limits::INPUT_BYTES - 5), Err(NotSent::TooLarge { field, bytes: limits::INPUT_BYTES + 1 }));
    let text = encode(&Act::Text("x".repeat(5000)));
    assert!(matches!(text, Err(NotSent::TooLarge { field, .. }) if field == "input.Text"));
}

#[test]
fn large_inputs_wait_for_those_under_way_so_that_reports_do_not_wait_behind_them() {
    let now = Instant::now();
    let mut inputs = Inputs::after(0, now);
    for _ in 0..8 {
        inputs.push(Tick(1), vec![0; limits::INPUT_BYTES], now).unwrap();
    }
    for round in 0..8 {
        let _ = inputs.take(now + round * SPACING);
        assert!(inputs.under_way() <= WINDOW);
    }
    assert_eq!(inputs.deadline(), None, "something must be settled first");
    inputs.settle(1, now + MS);
    assert_eq!(taken(&mut inputs, now + 200 * MS), [5]);
}

/// A server's bucket: so many a second, twice as many at once.
struct Bucket {
    rate: f64,
    left: f64,
}

impl Bucket {
    fn new(rate: u32) -> Self {
        Self { rate: rate.into(), left: 2.0 * f64::from(rate) }
    }

    fn pass(&mut self, time: Duration) {
        self.left = (self.left + time.as_secs_f64() * self.rate).min(2.0 * self.rate);
    }

    fn take(&mut self, count: usize) {
        self.left -= count as f64;
        assert!(self.left >= 0.0, "too fast: the seat is lost");
    }
}

#[test]
fn no_screen_is_too_fast_for_the_server_and_240_hz_lose_nothing() {
    for hz in [60, 144, 240, 480, 1000, 8000] {
        let start = Instant::now();
        let mut inputs = Inputs::after(0, start);
        let (mut messages, mut counted) =
            (Bucket::new(limits::MESSAGES_PER_SECOND), Bucket::new(limits::INPUTS_PER_SECOND));
        let (frame, mut refused) = (Duration::from_secs(1) / hz, 0);
        let settled_after = (hz / 10) as usize;
        let mut sent = VecDeque::new();
        for count in 0..20 * hz {
            let now = start + count * frame;
            messages.pass(frame);
            counted.pass(frame);
            refused += u32::from(inputs.push(Tick(count), vec![0; 12], now).is_err());
            let batch = taken(&mut inputs, now);
            messages.take(usize::from(!batch.is_empty()));
            counted.take(batch.len());
            assert!(batch.len() <= limits::EARLY_INPUTS);
            sent.push_back(batch.last().copied());
            if sent.len() > settled_after
                && let Some(Some(number)) = sent.pop_front()
            {
                inputs.settle(number, now);
            }
        }
        assert_eq!(refused == 0, hz <= 240, "{hz} Hz: {refused} refused");
    }
}
