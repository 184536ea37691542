//! The model without a network: a knowledge base and arithmetic.

use async_trait::async_trait;

use super::{Model, ModelError, ModelRequest, ModelResponse};

/// Answers from the knowledge base, and says so: its name is `offline`.
#[derive(Debug, Default)]
pub struct Offline;

impl Offline {
    /// With the knowledge base that is part of the binary.
    pub fn bundled() -> Self {
        Self
    }
}

#[async_trait]
impl Model for Offline {
    fn name(&self) -> &str {
        "offline"
    }

    fn is_free(&self) -> bool {
        true
    }

    async fn ask(&self, _request: &ModelRequest) -> Result<ModelResponse, ModelError> {
        Err(ModelError::NotConnected("no knowledge base yet".into()))
    }
}
