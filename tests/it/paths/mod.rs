//! The reference paths of the functional specification (3.5), one file each.

mod path_04;
mod path_06;
mod path_07;
