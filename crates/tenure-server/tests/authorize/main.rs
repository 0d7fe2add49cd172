//! Signing in through a browser, as the browser and the client see it.

mod browser_app;
mod code;
mod consent;
#[cfg(test)]
mod device;
mod forgery;
mod request;
mod sign_in;
#[cfg(test)]
mod visitor;
