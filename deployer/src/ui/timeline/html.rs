//! Timelines as a page.

use std::fmt::Write as _;
use std::time::Duration;

use crate::engine::{Phase, Span, Timeline};
use crate::ui::history::{origin_of, period_of};
use crate::ui::page::{Page, escape};
use crate::ui::task;

/// What the page looks like, in light and in dark.
const STYLE: &str = "\
:root{--rule:#8884;--critical:#d97706;--beside:#8aa4c0;--failed:#dc2626}
body{max-width:70rem}
h2{font-size:1.05rem;margin:2rem 0 0}p{margin:.2rem 0 .8rem;color:var(--weak)}
table{border-collapse:collapse;width:100%}td,th{padding:.15rem .4rem;text-align:left;vertical-align:middle}
tr{border-top:1px solid var(--rule)}th{font-weight:600;white-space:nowrap}
td.bars{width:60%}td.took{text-align:right;white-space:nowrap}small{display:block;color:var(--weak);font-weight:400}
.track{position:relative;height:1rem}
.bar{position:absolute;top:0;bottom:0;min-width:2px;border-radius:2px;background:var(--beside)}
.bar.critical,.key.critical{background:var(--critical)}.bar.failed,.key.failed{background:var(--failed)}
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;background:var(--beside);margin:0 .3rem 0 1rem}
@media (max-width:40rem){th{white-space:normal}td.bars{width:30%}}
";

/// Renders timelines as a page.
pub fn html(title: &str, timelines: &[Timeline]) -> String {
    let mut body = "<p><span class=\"key critical\"></span>the end waited for it<span class=\"key\"></span>beside that\
         <span class=\"key failed\"></span>failed</p>\n"
        .to_owned();
    for timeline in timelines {
        section(&mut body, timeline);
    }
    let page = Page {
        title,
        style: STYLE,
        script: None,
        body: &body,
    };
    page.html()
}

fn section(page: &mut String, timeline: &Timeline) {
    let mut about = period_of(&timeline.began, timeline.ended.as_deref());
    if let Some(origin) = origin_of(&timeline.origin) {
        let _ = write!(about, ", {origin}");
    }
    let _ = writeln!(
        page,
        "<h2>{} {} {}</h2>\n<p>{}</p>\n<table>",
        escape(&timeline.stack),
        escape(&timeline.operation),
        escape(timeline.status.as_str()),
        escape(&about)
    );
    for span in &timeline.resources {
        row(page, span, timeline.took);
    }
    page.push_str("</table>\n");
}

fn row(page: &mut String, span: &Span, took: u64) {
    let class = match (span.status.ends_with("_FAILED"), span.critical) {
        (true, _) => " failed",
        (false, true) => " critical",
        (false, false) => "",
    };
    let phase = match span.phase {
        Phase::Change => "",
        Phase::Rollback => ", rolling back",
        Phase::Cleanup => ", cleaning up",
    };
    let length = task::duration(Duration::from_millis(span.took));
    let _ = writeln!(
        page,
        "<tr><th>{id}<small>{kind}</small></th><td>{action}{phase}</td>\
         <td class=\"bars\"><div class=\"track\"><div class=\"bar{class}\" style=\"left:{left}%;width:{width}%\" \
         title=\"{status}, {length}\"></div></div></td><td class=\"took\">{length}</td></tr>",
        id = escape(&span.logical_id),
        kind = escape(&span.resource_type),
        action = escape(&span.action),
        status = escape(&span.status),
        left = percent(span.began, took),
        width = percent(span.took, took),
    );
}

/// Writes a part of a whole in percent, with two digits.
fn percent(part: u64, whole: u64) -> String {
    let hundredths = part.saturating_mul(10_000) / whole.max(1);
    let hundredths = hundredths.min(10_000);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::page::tests::with_files_named;
    use crate::ui::timeline::tests::sample;

    #[test]
    fn the_page_is_the_golden_one() {
        let page = html("Timeline of stage dev", &[sample()]);
        let page = with_files_named(&page);
        snapbox::assert_data_eq!(page, snapbox::file!["golden.html": Text]);
    }

    #[test]
    fn nothing_breaks_out_and_nothing_is_fetched() {
        let mut hostile = sample();
        hostile.stack = "</h2><script>alert(1)</script>".into();
        hostile.resources[0].status = "\" onmouseover='x'".into();
        let page = html("<b>", &[hostile]);
        assert!(!page.contains("<script"), "{page}");
        assert!(!page.contains("\" onmouseover"), "{page}");
        assert!(!page.contains("<b>"), "{page}");
        for word in ["http://", "https://", "src=", "url(", "@import"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}
