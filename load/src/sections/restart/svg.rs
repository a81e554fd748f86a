//! Draws timelines below each other, with one scale. The colours are readable on white and on black, because a picture
//! in a page is not told which of them it stands on. Runs in the load generator.

use std::fmt::Write as _;

use super::timeline::{BIN, Timeline};

const WIDTH: f64 = 820.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 12.0;
/// Of one timeline, its title above and its seconds below included.
const PANEL: f64 = 186.0;
const ABOVE: f64 = 44.0;
const BELOW: f64 = 22.0;
/// Room for the words at the end.
const FOOT: f64 = 22.0;

/// The scale in microseconds: logarithmic, from the first to the last.
const TICKS: [(u64, &str); 6] = [
    (100, "0.1 ms"),
    (1_000, "1 ms"),
    (10_000, "10 ms"),
    (100_000, "100 ms"),
    (1_000_000, "1 s"),
    (10_000_000, "10 s"),
];

const STYLE: &str = "text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#7d8590}\
    .title{font-size:13px;font-weight:600}.grid{stroke:#7d8590;stroke-opacity:.3}\
    .event{stroke:#d29922;stroke-width:1.5;stroke-dasharray:4 3}.what{fill:#b8801a}\
    .wait{stroke:#3b82d6;stroke-width:1.2}.lost{stroke:#e5534b;stroke-width:1.2}.gone{fill:#e5534b}";

/// The whole picture.
pub fn draw(timelines: &[Timeline]) -> String {
    let height = PANEL * timelines.len() as f64 + FOOT;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>How long clients wait for an answer while processes are killed and reloaded</title>\n\
         <style>{STYLE}</style>\n"
    );
    for (index, timeline) in timelines.iter().enumerate() {
        panel(&mut svg, timeline, PANEL * index as f64);
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.0}\">Each line: the longest wait for an answer to what was sent within {BIN} ms \
         (logarithmic). <tspan class=\"gone\">Red: never answered.</tspan></text>\n</svg>",
        height - 6.0
    );
    svg
}

fn panel(svg: &mut String, timeline: &Timeline, top: f64) {
    let (roof, floor) = (top + ABOVE, top + PANEL - BELOW);
    let x = |ms: u32| LEFT + (WIDTH - LEFT - RIGHT) * f64::from(ms) / f64::from(timeline.length.max(1));
    let y = |micros: u64| floor - (floor - roof) * share(micros);
    let _ =
        writeln!(svg, "<text class=\"title\" x=\"{LEFT}\" y=\"{:.0}\">{}</text>", top + 16.0, plain(&timeline.title));
    for (micros, label) in TICKS {
        let y = y(micros);
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{}\"/>", WIDTH - RIGHT);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>", LEFT - 6.0, y + 4.0);
    }
    for second in (0..=timeline.length / 1000).step_by(2) {
        let x = x(second * 1000);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{second} s</text>", floor + 16.0);
    }
    let (mut waits, mut lost) = (String::new(), String::new());
    for bin in &timeline.bins {
        let x = x(bin.at);
        if bin.lost > 0 {
            let _ = write!(lost, "M{x:.1} {floor:.0}V{roof:.0}");
        }
        if bin.longest > 0 {
            let _ = write!(waits, "M{x:.1} {floor:.0}V{:.1}", y(bin.longest));
        }
    }
    let _ = writeln!(svg, "<path class=\"lost\" d=\"{lost}\"/>\n<path class=\"wait\" d=\"{waits}\"/>");
    for (at, what) in &timeline.events {
        let x = x(*at);
        let _ = writeln!(svg, "<path class=\"event\" d=\"M{x:.1} {floor:.0}V{:.1}\"/>", roof - 10.0);
        // At the right end there is room on the left only.
        let (x, anchor) = if x > WIDTH * 0.85 { (x - 4.0, "end") } else { (x + 4.0, "start") };
        let (y, what) = (roof - 4.0, plain(what));
        let _ = writeln!(svg, "<text class=\"what\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{what}</text>");
    }
}

/// Where a time stands on the scale, from 0 to 1.
fn share(micros: u64) -> f64 {
    let (first, last) = (TICKS[0].0 as f64, TICKS[TICKS.len() - 1].0 as f64);
    ((micros.max(1) as f64 / first).ln() / (last / first).ln()).clamp(0.0, 1.0)
}

fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::super::timeline::Bin;
    use super::*;

    #[test]
    fn the_scale_is_logarithmic_and_bounded() {
        assert_eq!((share(0), share(100), share(10_000_000), share(u64::MAX)), (0.0, 0.0, 1.0, 1.0));
        assert!((share(1_000) - 0.2).abs() < 1e-9);
    }

    #[test]
    fn everything_is_drawn() {
        let bins = vec![Bin { at: 0, longest: 500, lost: 0 }, Bin { at: 25, longest: 0, lost: 3 }];
        let timeline = Timeline { title: "a < b".into(), length: 50, events: vec![(25, "kill".into())], bins };
        let svg = draw(&[timeline]);
        for part in ["a &lt; b", ">kill</text>", "class=\"lost\" d=\"M433.0 164V44\"", "class=\"wait\" d=\"M58.0 164V"]
        {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
    }
}
