//! A table as data, and how wide its columns are where it is drawn. Runs in a worker.

/// What becomes of a column where the terminal is too narrow for the whole table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrow {
    /// Is left out, before anything is cut; the last such column first. For what can be had otherwise.
    LeftOut,
    /// Is cut, always the widest first. For text that is understood by its beginning.
    Cut,
    /// Is cut only when all others are as narrow as they get. For what says nothing when it is cut: numbers, marks.
    CutLast,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    pub(super) head: String,
    pub(super) right: bool,
    narrow: Narrow,
}

impl Column {
    /// For text.
    pub fn left(head: impl Into<String>) -> Column {
        Column { head: head.into(), right: false, narrow: Narrow::Cut }
    }

    /// For numbers: they end in the same place.
    pub fn right(head: impl Into<String>) -> Column {
        Column { right: true, ..Column::left(head) }
    }

    /// Keeps its width as long as others can give: [`Narrow::CutLast`].
    pub fn fixed(self) -> Column {
        self.when_narrow(Narrow::CutLast)
    }

    /// What becomes of it where there is no room for all. It is [`Narrow::Cut`] if nothing else is said.
    pub fn when_narrow(self, narrow: Narrow) -> Column {
        Column { narrow, ..self }
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

/// Narrower than this no column gets.
const NARROWEST: usize = 4;

/// How wide a line of such columns is; one without a width is not there.
fn used(widths: &[usize]) -> usize {
    widths.iter().filter(|width| **width > 0).map(|width| width + GAP).sum::<usize>().saturating_sub(GAP)
}

/// Makes columns narrower until all fit: 0 for one that is left out. The first column stays, since it says what a row is about.
pub(super) fn fit(columns: &[Column], mut widths: Vec<usize>, total: usize) -> Vec<usize> {
    for width in &mut widths {
        *width = (*width).min(total);
    }
    for (index, _) in columns.iter().enumerate().skip(1).rev().filter(|(_, column)| column.narrow == Narrow::LeftOut) {
        if used(&widths) <= total {
            break;
        }
        if let Some(width) = widths.get_mut(index) {
            *width = 0;
        }
    }
    for may_cut_all in [false, true] {
        while used(&widths) > total {
            let giving = widths
                .iter_mut()
                .zip(columns)
                .filter(|(width, column)| **width > NARROWEST && (may_cut_all || column.narrow != Narrow::CutLast));
            match giving.max_by_key(|(width, _)| **width) {
                Some((width, _)) => *width -= 1,
                None => break,
            }
        }
    }
    widths
}
