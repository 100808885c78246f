//! The order in which stacks go.

use std::collections::BTreeSet;

use crate::engine::graph;

/// Stacks with those they depend on.
type Graph = Vec<(String, Vec<String>)>;

/// Adds to what the stacks say of each other what is deployed: an importer goes before what it imports from, although
/// it may not import from it any more in the source. `imports` names stacks with those that import from them.
///
/// Where source and deployment contradict each other, what is deployed counts: CloudFormation goes by nothing else.
pub(super) fn with_imports(graph: Graph, imports: &[(String, BTreeSet<String>)]) -> Graph {
    let add = |mut graph: Graph| {
        for (name, depends_on) in &mut graph {
            for (exporter, importers) in imports {
                if importers.contains(name) && !depends_on.contains(exporter) {
                    depends_on.push(exporter.clone());
                }
            }
        }
        graph
    };
    let names: Vec<String> = graph.iter().map(|(name, _)| name.clone()).collect();
    let both = add(graph);
    if graph::check(&both).is_ok() {
        return both;
    }
    add(names.into_iter().map(|name| (name, Vec::new())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(rows: &[(&str, &[&str])]) -> Graph {
        rows.iter()
            .map(|(name, depends_on)| {
                let depends_on = depends_on.iter().map(|name| (*name).to_owned()).collect();
                ((*name).to_owned(), depends_on)
            })
            .collect()
    }

    #[test]
    fn what_is_deployed_counts_too() {
        let imports = [("base".to_owned(), BTreeSet::from(["reports".to_owned()]))];
        let source = graph(&[("base", &[]), ("api", &["base"]), ("reports", &[])]);
        assert_eq!(
            with_imports(source, &imports),
            graph(&[("base", &[]), ("api", &["base"]), ("reports", &["base"])])
        );
    }

    #[test]
    fn what_is_deployed_counts_more() {
        let imports = [("base".to_owned(), BTreeSet::from(["reports".to_owned()]))];
        let turned = graph(&[("reports", &[]), ("base", &["reports"])]);
        assert_eq!(
            with_imports(turned, &imports),
            graph(&[("reports", &["base"]), ("base", &[])])
        );
    }
}
