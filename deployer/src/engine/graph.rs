//! Runs work along a dependency graph, as much at a time as is independent.

use std::{collections::BTreeMap, future::Future, num::NonZeroUsize, pin::Pin, task::Poll};

use tokio::task::JoinSet;

/// How many stacks are worked on at once where nothing else is said. CloudFormation allows far more; the rate of its control
/// plane does not.
pub const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(8).expect("eight is not zero");

/// How the work on one node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended<T> {
    /// It was done; those that depend on it may follow.
    Done(T),
    /// It was not done; those that depend on it are skipped.
    Failed(T),
    /// It was not begun because of the node of this name.
    Skipped(String),
}

/// Checks a graph: names are unique and there is no cycle. Dependencies outside of the graph are left out.
pub(super) fn check(nodes: &[(String, Vec<String>)]) -> Result<(), String> {
    let mut waiting: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, depends_on) in nodes {
        if waiting
            .insert(name, depends_on.iter().map(String::as_str).collect())
            .is_some()
        {
            return Err(format!("stack `{name}` is there twice"));
        }
    }
    loop {
        let free: Vec<&str> = waiting
            .iter()
            .filter(|(_, depends_on)| !depends_on.iter().any(|name| waiting.contains_key(name)))
            .map(|(name, _)| *name)
            .collect();
        if free.is_empty() {
            break;
        }
        for name in free {
            waiting.remove(name);
        }
    }
    if waiting.is_empty() {
        Ok(())
    } else {
        let names: Vec<&str> = waiting.into_keys().collect();
        Err(format!(
            "stacks depend on each other in a circle: {}",
            names.join(", ")
        ))
    }
}

/// Returns the graph turned around: each node depends on those that depended on it.
pub(super) fn reversed(nodes: &[(String, Vec<String>)]) -> Vec<(String, Vec<String>)> {
    nodes
        .iter()
        .map(|(name, _)| {
            let dependants = nodes
                .iter()
                .filter(|(_, depends_on)| depends_on.contains(name))
                .map(|(dependant, _)| dependant.clone())
                .collect();
            (name.clone(), dependants)
        })
        .collect()
}

/// Does works abreast, at most `at_once` at a time, and returns what they answer in their order.
///
/// They are begun in that order. It is for looks: they borrow what they need, and end with whoever awaits them.
pub(crate) async fn abreast<T>(
    at_once: NonZeroUsize,
    works: Vec<impl Future<Output = T>>,
) -> Vec<T> {
    let mut waiting = works.into_iter();
    let mut answers: Vec<Option<T>> = Vec::new();
    let mut running: Vec<(usize, Pin<Box<_>>)> = Vec::new();
    std::future::poll_fn(|context| {
        loop {
            while running.len() < at_once.get()
                && let Some(work) = waiting.next()
            {
                running.push((answers.len(), Box::pin(work)));
                answers.push(None);
            }
            let before = running.len();
            running.retain_mut(|(at, work)| match work.as_mut().poll(context) {
                Poll::Ready(answer) => {
                    if let Some(place) = answers.get_mut(*at) {
                        *place = Some(answer);
                    }
                    false
                }
                Poll::Pending => true,
            });
            if running.is_empty() && before == 0 {
                return Poll::Ready(());
            }
            // What follows on those that are done has to be polled once, or nobody wakes this.
            if running.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}

/// Works on every node after those it depends on. A failure stops its dependants and nothing else.
///
/// The graph must have passed [`check`]; `work` is called with the index of a node, for at most `at_once` nodes at a time.
pub(super) async fn run<T, F, W>(
    nodes: &[(String, Vec<String>)],
    at_once: NonZeroUsize,
    mut work: F,
) -> Vec<Ended<T>>
where
    T: Send + 'static,
    F: FnMut(usize) -> W,
    W: Future<Output = Result<T, T>> + Send + 'static,
{
    let index: BTreeMap<&str, usize> = nodes
        .iter()
        .enumerate()
        .map(|(index, (name, _))| (name.as_str(), index))
        .collect();
    let depends_on: Vec<Vec<usize>> = nodes
        .iter()
        .map(|(_, names)| {
            names
                .iter()
                .filter_map(|name| index.get(name.as_str()).copied())
                .collect()
        })
        .collect();
    let mut ended: BTreeMap<usize, Ended<T>> = BTreeMap::new();
    let mut begun = vec![false; nodes.len()];
    let mut running = JoinSet::new();
    loop {
        // A skipped node skips its own dependants, so look again until nothing moves.
        let mut moved = true;
        while moved {
            moved = false;
            for (node, needs) in depends_on.iter().enumerate() {
                if begun[node] {
                    continue;
                }
                let blocker = needs.iter().find_map(|need| match ended.get(need) {
                    Some(Ended::Failed(_)) => Some(nodes[*need].0.clone()),
                    Some(Ended::Skipped(because)) => Some(because.clone()),
                    _ => None,
                });
                if let Some(because) = blocker {
                    begun[node] = true;
                    moved = true;
                    ended.insert(node, Ended::Skipped(because));
                } else if running.len() < at_once.get()
                    && needs
                        .iter()
                        .all(|need| matches!(ended.get(need), Some(Ended::Done(_))))
                {
                    begun[node] = true;
                    let work = work(node);
                    running.spawn(async move { (node, work.await) });
                }
            }
        }
        match running.join_next().await {
            Some(Ok((node, Ok(done)))) => {
                ended.insert(node, Ended::Done(done));
            }
            Some(Ok((node, Err(failed)))) => {
                ended.insert(node, Ended::Failed(failed));
            }
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => return ended.into_values().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn nodes(rows: &[(&str, &[&str])]) -> Vec<(String, Vec<String>)> {
        rows.iter()
            .map(|(name, needs)| {
                (
                    (*name).to_owned(),
                    needs.iter().map(|need| (*need).to_owned()).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn circles_and_doubles_are_found() {
        assert_eq!(
            check(&nodes(&[("a", &["b"]), ("b", &["a"]), ("c", &[])])),
            Err("stacks depend on each other in a circle: a, b".into())
        );
        assert_eq!(
            check(&nodes(&[("a", &[]), ("a", &[])])),
            Err("stack `a` is there twice".into())
        );
        assert_eq!(
            check(&nodes(&[("a", &["elsewhere"]), ("b", &["a"])])),
            Ok(())
        );
    }

    #[tokio::test]
    async fn looks_are_abreast_and_answer_in_their_order() {
        let running = std::cell::Cell::new((0, 0));
        let look = async |at: u64| {
            let (now, most) = running.get();
            running.set((now + 1, most.max(now + 1)));
            // The later ones are done first.
            for _ in at..20 {
                tokio::task::yield_now().await;
            }
            running.set((running.get().0 - 1, running.get().1));
            at
        };
        let three = NonZeroUsize::new(3).expect("it is not zero");
        let answers = abreast(three, (0..20).map(look).collect()).await;
        assert_eq!(answers, (0..20).collect::<Vec<_>>());
        assert_eq!(running.get(), (0, 3));
        let none: Vec<u8> = abreast(three, Vec::<std::future::Ready<u8>>::new()).await;
        assert_eq!(none, [0; 0]);
    }

    #[tokio::test]
    async fn a_failure_stops_its_dependants_and_nothing_else() {
        let graph = nodes(&[
            ("last", &["broken", "fine"]),
            ("later", &["last"]),
            ("broken", &["first"]),
            ("fine", &["first"]),
            ("first", &[]),
        ]);
        let order = Arc::new(Mutex::new(Vec::new()));
        let ended = run(&graph, CONCURRENCY, |node| {
            let (name, order) = (graph[node].0.clone(), Arc::clone(&order));
            async move {
                order.lock().expect("no test panics").push(name.clone());
                if name == "broken" {
                    Err(name)
                } else {
                    Ok(name)
                }
            }
        })
        .await;
        assert_eq!(
            ended,
            [
                Ended::Skipped("broken".into()),
                Ended::Skipped("broken".into()),
                Ended::Failed("broken".into()),
                Ended::Done("fine".into()),
                Ended::Done("first".into()),
            ]
        );
        assert_eq!(
            *order.lock().expect("no test panics"),
            ["first", "broken", "fine"]
        );
    }

    #[tokio::test]
    async fn independent_nodes_run_at_once_up_to_the_limit() {
        let names: Vec<String> = (0..9).map(|n| format!("s{n:02}")).collect();
        let graph: Vec<_> = names
            .iter()
            .map(|name| (name.clone(), Vec::new()))
            .collect();
        let state = Arc::new(Mutex::new((0_usize, 0_usize)));
        run(&graph, NonZeroUsize::new(5).expect("is not zero"), |_| {
            let state = Arc::clone(&state);
            async move {
                {
                    let mut state = state.lock().expect("no test panics");
                    state.0 += 1;
                    state.1 = state.1.max(state.0);
                }
                tokio::task::yield_now().await;
                state.lock().expect("no test panics").0 -= 1;
                Ok::<(), ()>(())
            }
        })
        .await;
        assert_eq!(state.lock().expect("no test panics").1, 5);
    }

    #[test]
    fn a_graph_is_turned_around() {
        assert_eq!(
            reversed(&nodes(&[
                ("a", &[]),
                ("b", &["a"]),
                ("c", &["a", "elsewhere"])
            ])),
            nodes(&[("a", &["b", "c"]), ("b", &[]), ("c", &[])])
        );
    }
}
