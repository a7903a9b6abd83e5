//! The reference paths of the functional specification (3.5), one file each.

mod path_03;
mod path_04;
mod path_06;
mod path_07;
mod path_08;
mod path_09;
mod path_10;
