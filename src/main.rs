//! The binary: arguments, settings, provider, listener.

fn main() {}
