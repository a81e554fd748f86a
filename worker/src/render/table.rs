//! A table as data, and how wide its columns are where it is drawn. Runs in a worker.

/// What a column holds. It says what becomes of it where the terminal is too narrow for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Stays, and is whole: half a name, half an address or half a number is none.
    Whole,
    /// Is cut, the widest first, and left out when little of it would stay: text that is understood by its beginning.
    Text,
    /// Is left out before anything is cut: what can be had otherwise.
    Detail,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    pub(super) head: String,
    pub(super) right: bool,
    mark: bool,
    holds: Holds,
}

impl Column {
    fn new(head: impl Into<String>, holds: Holds) -> Column {
        Column { head: head.into(), right: false, mark: false, holds }
    }

    /// For names, addresses, and whatever somebody may have to type: whole at any width.
    pub fn name(head: impl Into<String>) -> Column {
        Column::new(head, Holds::Whole)
    }

    /// For numbers: whole at any width; they end in the same place.
    pub fn number(head: impl Into<String>) -> Column {
        Column { right: true, ..Column::name(head) }
    }

    /// For a mark of a character or two. What it means stands in its place where there are no columns.
    pub fn mark(means: impl Into<String>) -> Column {
        Column { mark: true, ..Column::name(means) }
    }

    /// What stands above it.
    pub(super) fn heading(&self) -> &str {
        if self.mark { "" } else { &self.head }
    }

    /// A cell without columns: its label, and what it says.
    pub(super) fn labelled<'c>(&'c self, cell: &'c str) -> (&'c str, &'c str) {
        if self.mark { ("", &self.head) } else { (&self.head, cell) }
    }

    /// For text that is understood by its beginning.
    pub fn text(head: impl Into<String>) -> Column {
        Column::new(head, Holds::Text)
    }

    /// For what can be had otherwise, or says little: the last such column goes first.
    pub fn detail(head: impl Into<String>) -> Column {
        Column::new(head, Holds::Detail)
    }
}

/// A row of a table: a cell for each column.
pub struct Row {
    pub(super) cells: Vec<String>,
    pub(super) bold: bool,
}

impl Row {
    /// A row of these cells, in the order of the columns.
    pub fn new<const N: usize>(cells: [String; N]) -> Row {
        Row { cells: cells.into(), bold: false }
    }

    /// Whether it stands out where there are colours.
    pub fn bold(self, bold: bool) -> Row {
        Row { bold, ..self }
    }
}

/// Columns with their rows.
pub(super) struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// Blanks between columns.
pub(super) const GAP: usize = 2;

/// Of a text so much stays, or nothing.
const LEAST: usize = 8;

/// How wide a line of such columns is; one without a width is not there.
fn used(widths: &[usize]) -> usize {
    widths.iter().filter(|width| **width > 0).map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
}

/// The columns of this kind from the last on; never the first, which says what a row is about.
fn last_first(columns: &[Column], holds: Holds) -> impl Iterator<Item = usize> {
    columns.iter().enumerate().skip(1).rev().filter(move |(_, column)| column.holds == holds).map(|(index, _)| index)
}

/// How wide each column is, 0 for one that is left out; nothing where what has to be whole finds no room beside each other.
pub(super) fn fit(columns: &[Column], mut widths: Vec<usize>, total: usize) -> Option<Vec<usize>> {
    let leave_out = |widths: &mut Vec<usize>, index: usize| {
        if let Some(width) = widths.get_mut(index) {
            *width = 0;
        }
    };
    for index in last_first(columns, Holds::Detail) {
        if used(&widths) <= total {
            return Some(widths);
        }
        leave_out(&mut widths, index);
    }
    let texts = last_first(columns, Holds::Text).map(Some);
    for next in texts.chain([None]) {
        let cut = cut(columns, widths.clone(), total);
        if used(&cut) <= total {
            return Some(cut);
        }
        leave_out(&mut widths, next?);
    }
    None
}

/// Makes texts narrower until all fit, as far as that goes.
fn cut(columns: &[Column], mut widths: Vec<usize>, total: usize) -> Vec<usize> {
    for (width, _) in widths.iter_mut().zip(columns).filter(|(_, column)| column.holds == Holds::Text) {
        *width = (*width).min(total.max(LEAST));
    }
    while used(&widths) > total {
        let texts = widths.iter_mut().zip(columns).filter(|(_, column)| column.holds == Holds::Text);
        match texts.filter(|(width, _)| **width > LEAST).max_by_key(|(width, _)| **width) {
            Some((width, _)) => *width -= 1,
            None => break,
        }
    }
    widths
}
