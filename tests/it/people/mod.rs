//! What people bring along: seeds of their devices, names in any script, addresses and numbers as they are pasted.

mod addresses;
mod codes;
mod names;
mod seeds;
