//! Codes that customers scan: what shows them, and what takes drinks from them.

use std::convert::Infallible;
use std::error::Error;

use serde::Serialize;
use serde_json::json;
use stack_bindings::{
    ApiRequest, ApiResponse, CallError, Change, Expression, InvocationContext, Reason,
};
use tracing::{error, info};

use crate::contract::{GetQrCode, VerifyQrCode};
use crate::detail::NewOrder;
use crate::item::Bucket;
use crate::moment::{NoRandomness, for_people, now, random_text};

/// The group whose members may see codes.
const ADMINS: &str = "admin";
/// How many letters the id of an order has.
const ORDER_ID_LENGTH: usize = 21;
const MINUTE: i64 = 60_000;
/// What a caller gets to see of a failure that only the logs explain.
const FAILED: &str = "The request failed";

/// Why a request could not be answered as it should.
#[derive(Debug, thiserror::Error)]
enum CodeError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    #[error("the answer cannot be written")]
    Answer(#[from] serde_json::Error),
    #[error("the code of these minutes was there, and is gone")]
    Gone,
}

/// Which headers an answer allows to pages of other origins.
#[derive(Clone, Copy)]
struct Cors {
    headers: &'static str,
}

const ANY_HEADER: Cors = Cors { headers: "*" };
const CONTENT_TYPE: Cors = Cors {
    headers: "Content-Type",
};

impl Cors {
    fn on(self, response: ApiResponse) -> ApiResponse {
        response
            .header("Access-Control-Allow-Headers", self.headers)
            .header("Access-Control-Allow-Origin", "*")
            .header("Access-Control-Allow-Methods", "OPTIONS,POST,GET")
    }

    fn json(self, status: u16, value: &impl Serialize) -> Result<ApiResponse, CodeError> {
        Ok(self.on(ApiResponse::json(status, value)?))
    }

    fn error(self, status: u16, text: &str) -> Result<ApiResponse, CodeError> {
        self.json(status, &json!({ "error": text }))
    }

    /// Answers a failure so that a page can read it.
    fn failed(self, failure: &CodeError) -> ApiResponse {
        error!(
            error = %failure,
            cause = failure.source().map(tracing::field::display),
            "the request failed"
        );
        self.error(500, FAILED)
            .unwrap_or_else(|_| self.on(ApiResponse::new(500)))
    }
}

/// Shows the code of these minutes to an administrator.
///
/// # Errors
///
/// Never fails: a failure is an answer of status 500.
pub async fn get(bindings: &GetQrCode, request: ApiRequest) -> Result<ApiResponse, Infallible> {
    let shown = show(bindings, &request, now(), random_text).await;
    Ok(shown.unwrap_or_else(|failure| ANY_HEADER.failed(&failure)))
}

async fn show(
    bindings: &GetQrCode,
    request: &ApiRequest,
    now: i64,
    random: impl FnOnce(usize) -> Result<String, NoRandomness>,
) -> Result<ApiResponse, CodeError> {
    if !request.groups().contains(&ADMINS) {
        return Ok(ANY_HEADER.on(ApiResponse::new(403)));
    }
    let number = interval_of(now, *bindings.time_interval);
    let bucket = match bindings.table.get(number).consistent().await? {
        Some(bucket) => bucket,
        None => create(bindings, number, random).await?,
    };
    ANY_HEADER.json(200, &json!({ "bucket": bucket }))
}

/// Makes the code of an interval; of two displays at the same time, both show the code of the one that was first.
async fn create(
    bindings: &GetQrCode,
    number: i64,
    random: impl FnOnce(usize) -> Result<String, NoRandomness>,
) -> Result<Bucket, CodeError> {
    let length = usize::try_from(*bindings.code_length).unwrap_or(1).max(1);
    let interval = interval_length(*bindings.time_interval);
    let start = number.saturating_mul(interval);
    let end = start.saturating_add(interval - 1);
    let bucket = Bucket {
        number,
        last_id: number,
        last_code: random(length)?,
        start_ts: start,
        end_ts: end,
        start_full: for_people(start),
        end_full: for_people(end),
        available_tokens: *bindings.tokens_per_bucket,
    };
    match bindings.table.put(&bucket).if_absent().await {
        Ok(_) => Ok(bucket),
        Err(error) if error.reason() == Reason::ConditionFailed => {
            let first = bindings.table.get(number).consistent().await?;
            first.ok_or(CodeError::Gone)
        }
        Err(error) => Err(error.into()),
    }
}

/// Takes one drink from the code that was scanned, and starts an order.
///
/// # Errors
///
/// Never fails: a failure is an answer of status 500.
pub async fn verify(
    bindings: &VerifyQrCode,
    request: ApiRequest,
) -> Result<ApiResponse, Infallible> {
    let function = InvocationContext::current().map(|context| context.function_arn);
    let taken = take(bindings, &request, function, now(), random_text).await;
    Ok(taken.unwrap_or_else(|failure| CONTENT_TYPE.failed(&failure)))
}

async fn take(
    bindings: &VerifyQrCode,
    request: &ApiRequest,
    function_arn: Option<String>,
    now: i64,
    random: impl FnOnce(usize) -> Result<String, NoRandomness>,
) -> Result<ApiResponse, CodeError> {
    if !request.has_query() {
        return CONTENT_TYPE.error(422, "Missing parameter");
    }
    let Some(user_id) = request.claim("sub") else {
        // The authorizer lets nobody through without one.
        return CONTENT_TYPE.error(401, "Unauthorized");
    };
    let number = interval_of(now, *bindings.time_interval);
    let bucket = bindings.table.get(number).consistent().await?;
    let code = request.query("token");
    let Some(bucket) = bucket.filter(|bucket| Some(bucket.last_code.as_str()) == code) else {
        return CONTENT_TYPE.error(400, "Invalid code");
    };
    if bucket.available_tokens < 1 {
        return no_tokens();
    }
    let order_id = random(ORDER_ID_LENGTH)?;
    let taken = bindings
        .table
        .update(number, Change::new().add("availableTokens", -1))
        .when(Expression::at_least("availableTokens", 1))
        .await;
    let bucket = match taken {
        Ok(bucket) => bucket,
        // Somebody else has had the last drink since.
        Err(error) if error.reason() == Reason::ConditionFailed => return no_tokens(),
        Err(error) => return Err(error.into()),
    };
    let order = NewOrder {
        order_id,
        user_id: user_id.to_owned(),
        message: "A customer has scanned a code".to_owned(),
        bucket: Some(bucket),
    };
    let mut event = bindings.bus.put(bindings.source.as_str(), &order);
    if let Some(arn) = function_arn {
        event = event.resource(arn);
    }
    if let Err(failure) = event.await {
        give_back(bindings, number).await;
        return Err(failure.into());
    }
    CONTENT_TYPE.json(200, &json!({ "orderId": order.order_id }))
}

/// Gives a drink back that no order was started for, so that the customer can try again.
async fn give_back(bindings: &VerifyQrCode, number: i64) {
    let change = Change::new().add("availableTokens", 1);
    match bindings.table.update(number, change).if_present().await {
        Ok(_) => info!(number, "the drink was given back"),
        Err(failure) => error!(number, error = %failure, "a drink of the code is lost"),
    }
}

fn no_tokens() -> Result<ApiResponse, CodeError> {
    CONTENT_TYPE.error(200, "No tokens remaining")
}

/// Returns the number of the interval that a time lies in.
fn interval_of(now: i64, minutes: i64) -> i64 {
    now.div_euclid(interval_length(minutes))
}

/// Returns the length of an interval in milliseconds; one minute is the least.
fn interval_length(minutes: i64) -> i64 {
    minutes.max(1).saturating_mul(MINUTE)
}

#[cfg(test)]
mod tests;
