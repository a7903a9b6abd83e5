//! Users' data: seeds of their devices, names in any script, pasted addresses and numbers.

mod addresses;
mod codes;
mod names;
mod seeds;
