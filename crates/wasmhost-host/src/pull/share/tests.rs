use super::*;

fn shares(weights: &[u32]) -> (Shares, Instant) {
    let now = Instant::now();
    (Shares::new(weights.iter().copied(), now), now)
}

fn slots(plan: &Plan) -> Vec<(usize, usize)> {
    plan.requests.iter().map(|(at, request)| (*at, request.slots)).collect()
}

#[test]
fn free_slots_wait_at_idle_queues_by_their_weight() {
    let (mut shares, now) = shares(&[3, 1]);
    let plan = shares.plan(4, now);
    assert_eq!(slots(&plan), [(0, 3), (1, 1)]);
    assert!(plan.requests.iter().all(|(_, request)| request.mode == PullMode::Wait(MAX_WAIT)));
}

#[test]
fn a_busy_queue_gets_the_slots_that_wait_at_idle_ones() {
    let (mut shares, now) = shares(&[3, 1]);
    shares.plan(4, now);
    // Queue 1 delivered its one job, and three wait behind it.
    shares.request_ended(1, 1, 3);
    assert_eq!(shares.plan(0, now), Plan { requests: vec![], call_back: vec![0] });
    shares.request_ended(0, 0, 0);
    let next = shares.plan(3, now);
    assert_eq!(slots(&next), [(1, 3)]);
    assert_eq!(next.requests[0].1.mode, PullMode::NoWait);
}

#[test]
fn no_more_is_asked_for_than_there_are_free_slots() {
    for free in 0..40 {
        let (mut shares, now) = shares(&[5, 1, 2, 7, 1, 1, 3]);
        for (at, queue) in shares.queues.iter_mut().enumerate() {
            queue.pending = (at as u64 % 3) * 4;
        }
        let requested: usize = slots(&shares.plan(free, now)).iter().map(|(_, slots)| slots).sum();
        // 24 jobs wait, and three queues are tried with one slot each.
        assert_eq!(requested, free.min(27), "all slots that are of use, and not one more");
    }
}

/// Returns how many deliveries each of two queues had in rounds in which every request is filled and both have more jobs.
fn contend(shares: &mut Shares, rounds: usize, free: usize, now: &mut Instant) -> [usize; 2] {
    let mut had = [0; 2];
    for _ in 0..rounds {
        *now += Duration::from_millis(1);
        for (at, request) in shares.plan(free, *now).requests {
            had[at] += request.slots;
            shares.request_ended(at, request.slots, 1000);
        }
    }
    had
}

#[test]
fn weights_decide_between_queues_that_have_jobs() {
    let (mut shares, mut now) = shares(&[4, 1]);
    shares.request_ended(0, 0, 1000);
    shares.request_ended(1, 0, 1000);
    assert_eq!(contend(&mut shares, 500, 2, &mut now), [800, 200]);
    // The queue that was idle meanwhile has its share from now on, and no more.
    shares.request_ended(1, 0, 0);
    for _ in 0..100 {
        now += Duration::from_millis(1);
        for (at, request) in shares.plan(1, now).requests {
            shares.request_ended(at, if at == 0 { request.slots } else { 0 }, if at == 0 { 1000 } else { 0 });
        }
    }
    shares.request_ended(1, 0, 1000);
    let had = contend(&mut shares, 500, 1, &mut now);
    assert!((395..=405).contains(&had[0]), "{had:?}");
}

#[test]
fn a_queue_that_had_much_while_nobody_else_wanted_it_owes_nothing() {
    let (mut shares, mut now) = shares(&[4, 1]);
    // No job ever waits: requests that wait at the server bring them all.
    for _ in 0..10_000 {
        now += Duration::from_millis(1);
        for (at, request) in shares.plan(16, now).requests {
            shares.request_ended(at, if at == 0 { request.slots } else { 0 }, 0);
        }
    }
    shares.request_ended(1, 1, 1000);
    shares.request_ended(0, 1, 1000);
    let had = contend(&mut shares, 500, 1, &mut now);
    assert!((395..=405).contains(&had[0]), "{had:?}");
}

#[test]
fn more_queues_than_slots_take_turns() {
    let (mut shares, mut now) = shares(&[1, 1, 1]);
    let mut order = Vec::new();
    for _ in 0..6 {
        let plan = shares.plan(1, now);
        assert_eq!(plan.requests[0].1.mode, PullMode::Wait(MIN_TURN));
        assert!(plan.call_back.is_empty(), "{plan:?}");
        order.push(plan.requests[0].0);
        now += MIN_TURN;
        shares.request_ended(plan.requests[0].0, 0, 0);
    }
    assert_eq!(order, [0, 1, 2, 0, 1, 2]);
}

#[test]
fn a_queue_without_a_request_is_tried_once_a_turn() {
    let (mut shares, start) = shares(&[1, 1]);
    let mut now = start;
    let mut tried = 0;
    shares.request_ended(0, 0, 1000);
    while now < start + Duration::from_secs(10) {
        for (at, request) in shares.plan(1, now).requests {
            tried += usize::from(at == 1);
            shares.request_ended(at, if at == 0 { request.slots } else { 0 }, if at == 0 { 1000 } else { 0 });
        }
        now += Duration::from_millis(10);
    }
    assert!((45..=51).contains(&tried), "tried {tried} times");
}

/// Long jobs come to a queue one by one, and none ever waits behind another: each finds a request that waits for it.
#[test]
fn each_queue_has_a_request_as_long_as_a_slot_is_free() {
    for (weights, slots) in [(&[1, 1][..], 16), (&[1, 1][..], 2), (&[1, 5, 1][..], 7)] {
        let (mut shares, mut now) = shares(weights);
        let mut free = slots;
        let mut waited = Duration::ZERO;
        let mut running = 0;
        while running < slots {
            let plan = shares.plan(free, now);
            free -= plan.requests.iter().map(|(_, request)| request.slots).sum::<usize>();
            for at in plan.call_back {
                free += shares.queues[at].request.expect("it is under way").slots;
                shares.request_ended(at, 0, 0);
            }
            match shares.queues[0].request {
                Some(request) => {
                    // The next job comes at once.
                    shares.queues[0].request = Some(RequestPlan { slots: request.slots - 1, ..request });
                    running += 1;
                    waited = Duration::ZERO;
                    if request.slots == 1 {
                        shares.request_ended(0, 1, 0);
                    }
                }
                None => {
                    now += Duration::from_millis(10);
                    waited += Duration::from_millis(10);
                    for (at, queue) in shares.queues.clone().iter().enumerate() {
                        let over = queue
                            .requested_at
                            .zip(queue.waiting_request())
                            .is_some_and(|(from, (_, time))| from + time <= now);
                        if over {
                            free += queue.request.expect("it is under way").slots;
                            shares.request_ended(at, 0, 0);
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

/// The request of a busy queue is under way while slots become free one by one.
#[test]
fn slots_that_a_busy_queue_will_want_do_not_wait_at_idle_ones() {
    let (mut shares, mut now) = shares(&[1; 10]);
    for at in 1..10 {
        shares.plan(0, now);
        shares.request_ended(at, 0, 0);
    }
    shares.request_ended(0, 0, 1000);
    let mut asked_of_idle = 0;
    let mut called_back = 0;
    let mut free = 0;
    for tick in 0..10_000 {
        now += Duration::from_micros(100);
        free += 1;
        let plan = shares.plan(free, now);
        called_back += plan.call_back.len();
        for (at, request) in plan.requests {
            free -= request.slots;
            asked_of_idle += usize::from(at > 0);
            if at > 0 {
                free += request.slots;
                shares.request_ended(at, 0, 0);
            }
        }
        // A round trip takes 500 µs.
        if tick % 5 == 4
            && let Some(request) = shares.queues[0].request
        {
            shares.request_ended(0, request.slots, 1000);
        }
    }
    assert_eq!(called_back, 0);
    // One second passes, and each idle queue is tried once in half a second.
    assert!(asked_of_idle <= 3 * 9, "{asked_of_idle}");
}

#[test]
fn a_queue_that_refused_is_left_alone_for_a_while() {
    let (mut shares, now) = shares(&[1, 1]);
    shares.request_ended(0, 0, 1000);
    shares.pause(0, now + Duration::from_secs(1));
    // Its jobs keep no slot from the other queue.
    assert_eq!(slots(&shares.plan(3, now)), [(1, 3)]);
    assert_eq!(shares.plan(0, now), Plan::default());
    assert_eq!(shares.wakes_at(now), Some(now + Duration::from_secs(1)));
}
