use super::*;

fn shares(weights: &[u32]) -> (Shares, Instant) {
    let now = Instant::now();
    (Shares::new(weights.iter().copied(), now), now)
}

fn slots(plan: &Plan) -> Vec<(usize, usize)> {
    plan.asks.iter().map(|(at, asked)| (*at, asked.slots)).collect()
}

#[test]
fn what_is_free_waits_at_idle_queues_by_their_weight() {
    let (mut shares, now) = shares(&[3, 1]);
    let plan = shares.plan(4, now);
    assert_eq!(slots(&plan), [(0, 3), (1, 1)]);
    assert!(plan.asks.iter().all(|(_, asked)| asked.how == How::Standing(STANDS_FOR)));
}

#[test]
fn a_busy_queue_gets_what_idle_ones_hold() {
    let (mut shares, now) = shares(&[3, 1]);
    shares.plan(4, now);
    // It delivered its one, and three wait behind it.
    shares.ended(1, 1, 3);
    assert_eq!(shares.plan(0, now), Plan { asks: vec![], calls_back: vec![0] });
    shares.ended(0, 0, 0);
    let next = shares.plan(3, now);
    assert_eq!(slots(&next), [(1, 3)]);
    assert_eq!(next.asks[0].1.how, How::Now);
}

#[test]
fn never_is_more_asked_for_than_is_free() {
    for free in 0..40 {
        let (mut shares, now) = shares(&[5, 1, 2, 7, 1, 1, 3]);
        for (at, lane) in shares.lanes.iter_mut().enumerate() {
            lane.waiting = (at as u64 % 3) * 4;
        }
        let asked: usize = slots(&shares.plan(free, now)).iter().map(|(_, slots)| slots).sum();
        // 24 jobs wait, and three queues are tried.
        assert_eq!(asked, free.min(27), "all that are of use, and not one more");
    }
}

/// Rounds in which all that is asked for comes, and both queues have more; how many each had.
fn contend(shares: &mut Shares, rounds: usize, free: usize, now: &mut Instant) -> [usize; 2] {
    let mut had = [0; 2];
    for _ in 0..rounds {
        *now += Duration::from_millis(1);
        for (at, asked) in shares.plan(free, *now).asks {
            had[at] += asked.slots;
            shares.ended(at, asked.slots, 1000);
        }
    }
    had
}

#[test]
fn weights_decide_between_queues_that_have_jobs() {
    let (mut shares, mut now) = shares(&[4, 1]);
    shares.ended(0, 0, 1000);
    shares.ended(1, 0, 1000);
    assert_eq!(contend(&mut shares, 500, 2, &mut now), [800, 200]);
    // The one that was idle meanwhile has its share from now on, and no more.
    shares.ended(1, 0, 0);
    for _ in 0..100 {
        now += Duration::from_millis(1);
        for (at, asked) in shares.plan(1, now).asks {
            shares.ended(at, if at == 0 { asked.slots } else { 0 }, if at == 0 { 1000 } else { 0 });
        }
    }
    shares.ended(1, 0, 1000);
    let had = contend(&mut shares, 500, 1, &mut now);
    assert!((395..=405).contains(&had[0]), "{had:?}");
}

#[test]
fn a_queue_that_had_much_while_nobody_else_wanted_it_owes_nothing() {
    let (mut shares, mut now) = shares(&[4, 1]);
    // Never does anything wait: standing requests bring it all.
    for _ in 0..10_000 {
        now += Duration::from_millis(1);
        for (at, asked) in shares.plan(16, now).asks {
            shares.ended(at, if at == 0 { asked.slots } else { 0 }, 0);
        }
    }
    shares.ended(1, 1, 1000);
    shares.ended(0, 1, 1000);
    let had = contend(&mut shares, 500, 1, &mut now);
    assert!((395..=405).contains(&had[0]), "{had:?}");
}

#[test]
fn more_queues_than_slots_take_turns() {
    let (mut shares, mut now) = shares(&[1, 1, 1]);
    let mut order = Vec::new();
    for _ in 0..6 {
        let plan = shares.plan(1, now);
        assert_eq!(plan.asks[0].1.how, How::Standing(SHORTEST_TURN));
        assert!(plan.calls_back.is_empty(), "{plan:?}");
        order.push(plan.asks[0].0);
        now += SHORTEST_TURN;
        shares.ended(plan.asks[0].0, 0, 0);
    }
    assert_eq!(order, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn a_queue_that_nobody_asks_is_tried_once_a_turn() {
    let (mut shares, start) = shares(&[1, 1]);
    let (mut now, mut tried) = (start, 0);
    shares.ended(0, 0, 1000);
    while now < start + Duration::from_secs(10) {
        for (at, asked) in shares.plan(1, now).asks {
            tried += usize::from(at == 1);
            shares.ended(at, if at == 0 { asked.slots } else { 0 }, if at == 0 { 1000 } else { 0 });
        }
        now += Duration::from_millis(10);
    }
    assert!((45..=51).contains(&tried), "tried {tried} times");
}

/// Long jobs come one by one to a queue, and nothing ever waits behind one: each finds a request that waits for it.
#[test]
fn as_long_as_a_slot_is_free_each_queue_is_asked() {
    for (weights, slots) in [(&[1, 1][..], 16), (&[1, 1][..], 2), (&[1, 5, 1][..], 7)] {
        let (mut shares, mut now) = shares(weights);
        let (mut free, mut waited) = (slots, Duration::ZERO);
        let mut running = 0;
        while running < slots {
            let plan = shares.plan(free, now);
            free -= plan.asks.iter().map(|(_, asked)| asked.slots).sum::<usize>();
            for at in plan.calls_back {
                free += shares.lanes[at].asked.expect("it stands").slots;
                shares.ended(at, 0, 0);
            }
            match shares.lanes[0].asked {
                Some(asked) => {
                    // The next job comes at once.
                    shares.lanes[0].asked = Some(Asked { slots: asked.slots - 1, ..asked });
                    running += 1;
                    waited = Duration::ZERO;
                    if asked.slots == 1 {
                        shares.ended(0, 1, 0);
                    }
                }
                None => {
                    now += Duration::from_millis(10);
                    waited += Duration::from_millis(10);
                    for (at, lane) in shares.lanes.clone().iter().enumerate() {
                        let over = lane
                            .asked_at
                            .zip(lane.standing())
                            .is_some_and(|(from, (_, time))| from + time <= now);
                        if over {
                            free += lane.asked.expect("it stands").slots;
                            shares.ended(at, 0, 0);
                        }
                    }
                }
            }
            assert!(
                waited <= Duration::from_secs(1),
                "{weights:?}, {slots} slots, {running} jobs run: {shares:?}"
            );
        }
    }
}

/// A busy queue's request is on its way while slots are freed one by one.
#[test]
fn slots_that_a_busy_queue_will_want_are_not_carried_to_idle_ones() {
    let (mut shares, mut now) = shares(&[1; 10]);
    for at in 1..10 {
        shares.plan(0, now);
        shares.ended(at, 0, 0);
    }
    shares.ended(0, 0, 1000);
    let (mut asked_of_idle, mut called_back) = (0, 0);
    let mut free = 0;
    for tick in 0..10_000 {
        now += Duration::from_micros(100);
        free += 1;
        let plan = shares.plan(free, now);
        called_back += plan.calls_back.len();
        for (at, asked) in plan.asks {
            free -= asked.slots;
            asked_of_idle += usize::from(at > 0);
            if at > 0 {
                free += asked.slots;
                shares.ended(at, 0, 0);
            }
        }
        // A round trip takes 500 µs.
        if tick % 5 == 4
            && let Some(asked) = shares.lanes[0].asked
        {
            shares.ended(0, asked.slots, 1000);
        }
    }
    assert_eq!(called_back, 0);
    // A second, in which each idle queue is tried once in half a second.
    assert!(asked_of_idle <= 3 * 9, "{asked_of_idle}");
}

#[test]
fn a_queue_that_refused_is_left_alone_for_a_while() {
    let (mut shares, now) = shares(&[1, 1]);
    shares.ended(0, 0, 1000);
    shares.rest(0, now + Duration::from_secs(1));
    // Its jobs hold no slot back from the other one.
    assert_eq!(slots(&shares.plan(3, now)), [(1, 3)]);
    assert_eq!(shares.plan(0, now), Plan::default());
    assert_eq!(shares.wakes_at(now), Some(now + Duration::from_secs(1)));
}
