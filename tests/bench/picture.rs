//! The bill as a picture: a bar for each chain.

use super::figures::quantile;
use super::peers::NONE;
use super::section::Section;

const LEFT: f64 = 300.0;
const WIDTH: f64 = 460.0;
const BAR: f64 = 18.0;
const STEP: f64 = 24.0;
const TOP: f64 = 46.0;

/// A bar for what each chain adds, and a line from its lowest sample to its median. What is longer
/// than `longest` microseconds is cut, and says so.
pub(super) fn svg(section: &Section, longest: f64) -> String {
    let rows: Vec<_> = section.rows.iter().filter(|row| row.name != NONE).collect();
    #[allow(clippy::cast_precision_loss, reason = "a few dozen")]
    let height = TOP + STEP * rows.len() as f64 + 10.0;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"860\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"10\" y=\"22\" font-size=\"15\">Microseconds that a chain adds to a request, {}</text>\n",
        section.title
    );
    let mut top = TOP;
    for row in rows {
        let none = section.none();
        let scale = |micros: f64| LEFT + micros.clamp(0.0, longest) / longest * WIDTH;
        let (added, lowest, middle) =
            (section.added(row), quantile(&row.samples, 0.0) - none, quantile(&row.samples, 0.5) - none);
        let (end, line) = (scale(added), top + BAR / 2.0);
        let cut = if added > longest { " (cut)" } else { "" };
        text.push_str(&format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n\
             <rect x=\"{LEFT}\" y=\"{top}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{}\"/>\n\
             <path d=\"M{:.1} {line}H{:.1}\" stroke=\"#222222\"/>\n\
             <text x=\"{:.1}\" y=\"{}\">{added:.1}{cut}</text>\n",
            LEFT - 8.0,
            top + 14.0,
            row.name,
            end - LEFT,
            colour(&row.name),
            scale(lowest),
            scale(middle),
            end.max(scale(middle)) + 6.0,
            top + 14.0,
        ));
        top += STEP;
    }
    text + "</svg>\n"
}

/// One for ours and one for the others; both are told apart without colours, too.
fn colour(name: &str) -> &'static str {
    let others = ["Lua", "Envoy", "empty"];
    if others.iter().any(|other| name.starts_with(other)) { "#b8c4cc" } else { "#3b7ea1" }
}
