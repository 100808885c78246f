//! Killed while a stack goes that no source has: once it is gone, the files of this machine alone know of it.

use system_tests::faults::{Fault, Point, READS};

use super::{Lane, Reference, shop};

const DEPLOY: usize = 0;
const DESTROY: usize = 4;

/// What a removal changes from the deletion of the stack that left the source on, without what names other stacks.
fn chosen(points: &[Point]) -> Vec<Point> {
    let begin = points
        .iter()
        .position(|point| point.request == "cloudformation DeleteStack work-dev");
    let from = points.iter().skip(begin.expect("it is deleted"));
    let others = ["site-dev", "store-dev"];
    let is_other = |point: &Point| others.iter().any(|stack| point.request.contains(stack));
    let changes = from.filter(|point| !point.kind().ends_with(READS) && !is_other(point));
    changes.cloned().collect()
}

#[test]
fn a_removal_of_a_stack_that_left_the_source_is_finished_by_the_next_run() {
    let app = shop::app();
    let run = |lane: &Lane<'_>, phase| {
        let run = lane.run(phase);
        assert_eq!(run.code, Some(0), "{run}");
        run
    };
    let lane = Lane::new(&app, 0);
    run(&lane, DEPLOY);
    let told = run(&lane, DESTROY);
    assert!(
        told.stderr.contains("work-dev is not in this source"),
        "{told}"
    );
    let reference = Reference {
        points: lane.proxy.points(),
        after: lane.inventory(),
    };
    let points = chosen(&reference.points);
    let is_log = |point: &Point| point.request.starts_with("logs DeleteLogGroup");
    assert!(points.iter().any(is_log), "{points:#?}");
    let before = [(&points[0], Fault::KilledBefore)];
    let after = points.iter().map(|point| (point, Fault::KilledAfter));
    for (number, (point, fault)) in before.into_iter().chain(after).enumerate() {
        let lane = Lane::new(&app, number + 1);
        run(&lane, DEPLOY);
        let survived = lane.survive(DESTROY, point, fault, &reference);
        assert_eq!(survived, Ok(true), "{fault:?} at {point}");
    }
}
