//! Tenure's own service.
