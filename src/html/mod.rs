//! Bytes to blocks by `blocks-v1`, `text-v1`, `form-v1`. Total: bad markup is never an error.
//!
//! Never: judges what matters.
