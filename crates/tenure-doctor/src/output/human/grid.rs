//! Tables within the width of a terminal.

use anstyle::Style;
use textwrap::Options;
use textwrap::core::display_width;

use super::pen::{FAINT, Pen};
use crate::output::Table;

/// Between two columns.
const GAP: usize = 2;
/// No column becomes narrower than this.
const LEAST: usize = 8;

/// Draws the head and the rows; what is too wide is continued below, within its column. Where not even
/// that fits, each row becomes a list.
pub(super) fn draw(pen: &mut Pen, table: &Table) {
    let head: Vec<_> = table.head.iter().map(|&cell| cell.to_owned()).collect();
    let widths = widths(pen.width(), &head, &table.rows);
    if whole(&widths) > pen.width() {
        return list(pen, table);
    }
    row(pen, FAINT, &head, &widths);
    for cells in &table.rows {
        row(pen, Style::new(), cells, &widths);
    }
}

/// As wide as the cells, or as much narrower as it takes, from the widest column first.
fn widths(limit: usize, head: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<_> = head.iter().map(|cell| display_width(cell)).collect();
    for cells in rows {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(display_width(cell));
        }
    }
    loop {
        let excess = whole(&widths).saturating_sub(limit);
        let widest = widths.iter_mut().max_by_key(|width| **width);
        match widest {
            Some(widest) if excess > 0 && *widest > LEAST => *widest -= 1,
            _ => return widths,
        }
    }
}

/// Columns of a line with the gaps in it.
fn whole(widths: &[usize]) -> usize {
    widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1)
}

fn list(pen: &mut Pen, table: &Table) {
    for cells in &table.rows {
        for (number, (head, cell)) in table.head.iter().zip(cells).enumerate() {
            let bullet = if number == 0 { "-" } else { " " };
            pen.item(&format!("{bullet} {head}:"), cell);
        }
    }
}

fn row(pen: &mut Pen, style: Style, cells: &[String], widths: &[usize]) {
    let columns: Vec<_> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| textwrap::wrap(cell, Options::new(*width)))
        .collect();
    let height = columns.iter().map(Vec::len).max().unwrap_or_default();
    for number in 0..height {
        let mut line = String::new();
        for (column, width) in columns.iter().zip(widths) {
            let part = column.get(number).map_or("", |part| part.as_ref());
            let blanks = width.saturating_sub(display_width(part)) + GAP;
            line.push_str(part);
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        pen.line(style, &line);
    }
}
