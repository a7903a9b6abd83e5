//! The one integration-test binary.

mod architecture;
mod browser;
mod storage;
mod support;
