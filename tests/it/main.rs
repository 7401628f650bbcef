//! The one integration binary: drives the library and the command line.

#![allow(clippy::unwrap_used)] // a test that cannot go on may say so by panicking

mod archive_beside;
mod archive_corpus;
mod archive_faults;
mod archive_groups;
mod archive_hostile;
mod archive_kill;
mod archive_listing;
mod archive_reference;
mod archive_store;
mod bad_input;
mod block_corpus;
mod block_scale;
mod command;
mod corpus;
mod crawls;
mod declared;
mod diff;
mod diff_corpus;
mod diff_false_alarms;
mod diff_html;
mod diff_truth;
mod export;
mod first_steps;
mod html_properties;
mod label;
mod layering;
mod ledger;
mod oracle;
mod recipe;
mod recipe_rules;
mod samples;
mod source;
mod specimens;
mod takedown;
mod tampering;
mod vectors;
mod warc;
mod warc_corpus;
mod warc_digests;
