//! Which version of the protocol a client speaks: `Major.Minor` in a header or in the query, patch ignored, absent
//! meaning 0.3 (A2A 1.0, section 3.6).

use axum::http::HeaderMap;

use super::VERSION_HEADER;
use crate::error::{A2aError, ErrorKind};

/// What a client said of its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing.
    Nothing,
    /// 1.0.
    V1,
    /// 0.1, 0.2 or 0.3.
    Older,
}

/// Reads the version from the header, or else from the query.
///
/// # Errors
/// [`ErrorKind::VersionNotSupported`].
pub(crate) fn said(headers: &HeaderMap, query: Option<&str>) -> Result<Said, A2aError> {
    let in_header = headers.get(VERSION_HEADER).map(|value| value.to_str().unwrap_or("?"));
    let in_query = query.and_then(|query| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("A2A-Version")).map(|(_, value)| value)
    });
    let Some(text) = in_header.or(in_query).map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(Said::Nothing);
    };
    let mut numbers = text.splitn(3, '.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(1)), Some(Ok(0)) | None) => Ok(Said::V1),
        (Some(Ok(0)), Some(Ok(1..=3))) => Ok(Said::Older),
        _ => {
            let text = format!("version {text:?} is not spoken here; 1.0 and 0.3 are");
            Err(A2aError::new(ErrorKind::VersionNotSupported, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_by_major_and_minor() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(VERSION_HEADER, text.parse().unwrap());
            said(&headers, None).map_err(|error| error.kind)
        };
        assert_eq!(said(&HeaderMap::new(), None).unwrap(), Said::Nothing);
        assert_eq!(of(""), Ok(Said::Nothing));
        assert_eq!(of("1.0"), Ok(Said::V1));
        assert_eq!(of("1.0.7"), Ok(Said::V1));
        assert_eq!(of("0.3.0"), Ok(Said::Older));
        for refused in ["99.0", "1.1", "0.4", "one", "1.x"] {
            assert_eq!(of(refused), Err(ErrorKind::VersionNotSupported), "{refused}");
        }
        assert_eq!(said(&HeaderMap::new(), Some("a=b&A2A-Version=1.0")).unwrap(), Said::V1);
    }
}
