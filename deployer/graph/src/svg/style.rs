//! The colours of drawings.

use crate::change::Tone;
use crate::kind::Role;

/// Returns the colours of a drawing, and those of the marks where there are any. They can be told apart by everybody, on
/// light and on dark pages.
pub(super) fn own(marked: bool) -> String {
    let mut text = plain();
    if marked {
        text.push_str(&marks());
    }
    text
}

/// Returns the style of drawings that are parts of a page.
pub fn style() -> String {
    plain() + &marks()
}

/// Returns what is otherwise in that style on a dark page.
pub fn dark_style() -> String {
    let fills = [
        ("#3a2a14", "#e0a869"),
        ("#16283f", "#7fb0ea"),
        ("#3d1a2c", "#ec8fb8"),
        ("#2a2147", "#b6a2f2"),
        ("#411d18", "#f0968a"),
        ("#2c2e33", "#a9adb5"),
    ];
    let tones: Vec<String> = Tone::ALL
        .iter()
        .map(|tone| toned(*tone, tone.dark()))
        .collect();
    format!(
        "svg text{{fill:#e6e8eb}}.type{{fill:#a2a8b0}}.stack text{{fill:#a2a8b0}}.same rect{{fill:#1c1f24;stroke:#6b7178}}\
         .same text{{fill:#b4b9c0}}.legend rect{{fill:#1c1f24}}{}{}.badge text{{fill:#0d1117}}.arrives{{stroke:#56d364}}.gone{{stroke:#afb8c1}}\
         .reach{{stroke:#ffa657}}",
        roles(&fills),
        tones.concat()
    )
}

fn roles(fills: &[(&str, &str)]) -> String {
    let rules = Role::ALL.iter().zip(fills).map(|(role, (fill, stroke))| {
        format!(".{} rect{{fill:{fill};stroke:{stroke}}}", role.class())
    });
    rules.collect::<Vec<_>>().concat()
}

fn plain() -> String {
    let fills = [
        ("#fdebd8", "#7a4a12"),
        ("#dfeafb", "#1f4a80"),
        ("#fbe2ee", "#7d2150"),
        ("#e9e4fa", "#4b3391"),
        ("#fbe3e0", "#86261b"),
        ("#ececec", "#444444"),
    ];
    format!(
        "text{{font:12px system-ui,sans-serif;fill:#1d1d1f}}.type{{font-size:10px;fill:#55555a}}.stack rect{{fill:none;stroke:#8a8a90;stroke-dasharray:5 4}}.stack text{{font-weight:600;fill:#76767c}}.arrow{{fill:none;stroke:#84848a;stroke-width:1.2}}.between{{stroke-dasharray:4 3}}.head{{fill:#84848a}}{}",
        roles(&fills)
    )
}

/// Returns the looks of what changes: the form of its frame, its sign and its words say what its colour says.
fn marks() -> String {
    let tones: Vec<String> = Tone::ALL
        .iter()
        .map(|tone| toned(*tone, tone.light()))
        .collect();
    format!(
        ".long{{font-size:8.5px}}.same rect{{fill:#fbfbfc;stroke:#a5a5ab}}.same text{{fill:#55555a}}{}.c-new rect,.c-imported rect{{stroke-width:2.5}}\
         .c-changed rect,.c-replaced rect,.c-removed rect{{stroke-width:1.5}}\
         .c-removed rect{{stroke-dasharray:7 4}}.c-removed .label{{text-decoration:line-through}}.c-kept rect{{stroke-dasharray:2 3}}\
         .inner,.legend .inner{{fill:none}}.badge rect,.swatch rect{{stroke:none;stroke-dasharray:none}}\
         .badge text{{font-size:10px;font-weight:600;fill:#fff}}\
         .arrives{{stroke:#1a7f37;stroke-width:2.4;stroke-dasharray:none}}.gone{{stroke:#57606a;stroke-width:1.6;stroke-dasharray:1.5 4}}\
         .reach{{stroke:#bc4c00;stroke-width:3;stroke-dasharray:9 3}}.legend rect{{fill:#fff;stroke:#76767c}}.sign{{fill:none;stroke:#57606a;stroke-width:1.8}}",
        tones.concat()
    )
}

fn toned(tone: Tone, (strong, weak): (&str, &str)) -> String {
    let class = tone.class();
    format!(
        ".{class} rect{{fill:{weak};stroke:{strong}}}.{class} .badge rect,.swatch.{class} rect{{fill:{strong}}}"
    )
}
