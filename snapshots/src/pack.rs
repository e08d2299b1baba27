//! Measures a stranger's pack before libgit2 gets it: how many objects it holds and what they inflate to, deltas included.
//! Everything is inflated here once, through a small window, and nothing of it is kept. (Format: git's
//! `gitformat-pack`; the index and the checksum are left to libgit2.)

use miniz_oxide::MZFlush;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZStatus};

/// Most objects of a pack.
pub(crate) const MAX_OBJECTS: u32 = 10_000;
/// Largest object, inflated and rebuilt from its deltas, in bytes.
pub(crate) const MAX_OBJECT_BYTES: u64 = 4 << 20;
/// Largest sum of everything that a pack inflates to and that its deltas rebuild, in bytes.
pub(crate) const MAX_INFLATED_BYTES: u64 = 64 << 20;
/// Bytes that are inflated at a time.
const WINDOW_BYTES: usize = 32 * 1024;
/// Bytes at the beginning of a delta that hold its two sizes.
const DELTA_HEAD_BYTES: usize = 20;
/// Bytes of the checksum at the end.
const CHECKSUM_BYTES: usize = 20;

/// Measures a pack.
///
/// # Errors
/// Why it is not taken in, in words.
pub(crate) fn measure(pack: &[u8]) -> Result<(), String> {
    let mut rest = Rest(pack);
    let version = match rest.take(8)? {
        [b'P', b'A', b'C', b'K', version @ ..] => version,
        _ => return Err("it holds no pack".to_owned()),
    };
    if !matches!(version, [0, 0, 0, 2 | 3]) {
        return Err("its pack is of another version".to_owned());
    }
    let count = rest.take(4)?.iter().fold(0_u32, |count, byte| count << 8 | u32::from(*byte));
    if count > MAX_OBJECTS {
        return Err(format!("its pack says {count} objects, {MAX_OBJECTS} are read"));
    }
    let mut state = InflateState::new_boxed(DataFormat::Zlib);
    let mut total = 0;
    for _ in 0..count {
        total += object(&mut rest, &mut state, MAX_INFLATED_BYTES.saturating_sub(total))?;
        if total > MAX_INFLATED_BYTES {
            return Err(too_large("its pack", MAX_INFLATED_BYTES));
        }
    }
    if rest.0.len() == CHECKSUM_BYTES {
        Ok(())
    } else {
        Err("its pack does not end where it says".to_owned())
    }
}

/// Goes past one object; answers what it inflates to, together with what it rebuilds if it is a delta.
fn object(rest: &mut Rest<'_>, state: &mut InflateState, room: u64) -> Result<u64, String> {
    // Three bits of the kind stand between the lowest four bits of the size and the rest of it.
    let first = rest.byte()?;
    let kind = first >> 4 & 7;
    let mut size = u64::from(first & 15);
    if first & 128 != 0 {
        size |= rest.varint()?.checked_mul(16).ok_or("a size in its pack is too large")?;
    }
    match kind {
        1..=4 => {}
        // The base's distance, and the base's name.
        6 => while rest.byte()? & 128 != 0 {},
        7 => drop(rest.take(20)?),
        _ => return Err("an object in its pack is of no known kind".to_owned()),
    }
    if size > MAX_OBJECT_BYTES {
        return Err(too_large("an object in its pack", MAX_OBJECT_BYTES));
    }
    let (inflated, head) = inflated(rest, state, size.min(room))?;
    if inflated != size {
        return Err("an object in its pack has another size than it says".to_owned());
    }
    let rebuilt = if matches!(kind, 6 | 7) { rebuilt(&head)? } else { 0 };
    if rebuilt > MAX_OBJECT_BYTES {
        return Err(too_large("an object that its pack rebuilds", MAX_OBJECT_BYTES));
    }
    Ok(inflated + rebuilt)
}

/// Inflates what comes next, at most so many bytes; answers how many there were, and the first of them.
fn inflated(rest: &mut Rest<'_>, state: &mut InflateState, most: u64) -> Result<(u64, Vec<u8>), String> {
    state.reset(DataFormat::Zlib);
    let mut window = [0; WINDOW_BYTES];
    let (mut all, mut head) = (0_u64, Vec::new());
    loop {
        let result = inflate(state, rest.0, &mut window, MZFlush::None);
        rest.take(result.bytes_consumed)?;
        let written = window.get(..result.bytes_written).unwrap_or_default();
        let wanted = DELTA_HEAD_BYTES.saturating_sub(head.len());
        head.extend(written.iter().take(wanted));
        all += written.len() as u64;
        if all > most {
            return Err("its pack inflates to more than it says, or than is read".to_owned());
        }
        match result.status {
            Ok(MZStatus::StreamEnd) => return Ok((all, head)),
            Ok(_) if result.bytes_consumed > 0 || result.bytes_written > 0 => {}
            _ => return Err("an object in its pack cannot be inflated".to_owned()),
        }
    }
}

/// The size of what a delta rebuilds: the second of the two numbers that it begins with.
fn rebuilt(head: &[u8]) -> Result<u64, String> {
    let mut rest = Rest(head);
    rest.varint()?;
    rest.varint()
}

fn too_large(what: &str, limit: u64) -> String {
    format!("{what} inflates to more than the {limit} bytes that are read")
}

/// What of a pack is still to be looked at.
struct Rest<'p>(&'p [u8]);

impl<'p> Rest<'p> {
    fn take(&mut self, count: usize) -> Result<&'p [u8], String> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or("its pack is cut off")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        self.take(1).map(|one| one.first().copied().unwrap_or_default())
    }

    /// A number of seven bits a byte, the lowest first; the highest bit says that more follow.
    fn varint(&mut self) -> Result<u64, String> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.byte()?;
            let part = u64::from(byte & 127);
            if shift >= 57 && part != 0 {
                return Err("a size in its pack is too large".to_owned());
            }
            value |= part.checked_shl(shift).unwrap_or_default();
            if byte & 128 == 0 {
                return Ok(value);
            }
            shift += 7;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::prelude::*;

    const BLOB: u8 = 3;
    const OFFSET_DELTA: u8 = 6;

    /// The head of an object: its kind and the size that it claims.
    fn head(kind: u8, size: u64) -> Vec<u8> {
        let mut bytes = vec![kind << 4 | (size & 15) as u8];
        bytes.extend(varint(size >> 4));
        if size >> 4 == 0 {
            return vec![bytes[0]];
        }
        bytes[0] |= 128;
        bytes
    }

    fn varint(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let more = value >> 7 != 0;
            bytes.push((value & 127) as u8 | if more { 128 } else { 0 });
            value >>= 7;
            if !more {
                return bytes;
            }
        }
    }

    fn pack(objects: &[Vec<u8>]) -> Vec<u8> {
        let count = u32::try_from(objects.len()).unwrap().to_be_bytes();
        [b"PACK\0\0\0\x02".to_vec(), count.to_vec(), objects.concat(), vec![0; CHECKSUM_BYTES]].concat()
    }

    fn blob(claimed: u64, data: &[u8]) -> Vec<u8> {
        [head(BLOB, claimed), compress_to_vec_zlib(data, 9)].concat()
    }

    fn delta(rebuilt: u64) -> Vec<u8> {
        let data = [varint(7), varint(rebuilt), vec![0x80 | 0x10, 7]].concat();
        [head(OFFSET_DELTA, data.len() as u64), vec![20], compress_to_vec_zlib(&data, 9)].concat()
    }

    #[test]
    fn what_inflates_a_thousandfold_is_refused_before_it_is_kept() {
        let zeros = vec![0; 4 << 20];
        let one = blob(zeros.len() as u64, &zeros);
        assert!(one.len() < 8 << 10, "{}", one.len());
        assert_eq!(measure(&pack(&vec![one.clone(); 16])), Ok(()));
        let refused = |pack: &[u8], why: &str| {
            let said = measure(pack).unwrap_err();
            assert!(said.contains(why), "{said}");
        };
        refused(&pack(&vec![one; 17]), "than is read");
        refused(&pack(&[blob((4 << 20) + 1, &[])]), "an object in its pack inflates");
        refused(&pack(&[blob(10, &zeros)]), "more than it says");
        refused(&pack(&[blob(10, b"short")]), "another size");
        refused(&pack(&[blob(7, b"base..."), delta(1 << 40)]), "that its pack rebuilds");
    }

    #[test]
    fn many_small_deltas_that_rebuild_much_are_refused() {
        let mut objects = vec![blob(7, b"base...")];
        objects.extend(vec![delta(4 << 20); 15]);
        assert_eq!(measure(&pack(&objects)), Ok(()));
        objects.extend(vec![delta(4 << 20); 2]);
        assert!(measure(&pack(&objects)).unwrap_err().contains("its pack inflates"));
    }

    #[test]
    fn a_head_that_lies_is_refused() {
        for (bytes, why) in [
            (&b"PACK\0\0\0\x02\xff\xff\xff\xff"[..], "objects"),
            (b"PACK\0\0\0\x02\0\0\0\x01", "cut off"),
            (b"PACK\0\0\0\x09\0\0\0\0", "version"),
            (b"KCAP\0\0\0\x02\0\0\0\0", "no pack"),
            (b"PACK\0\0\0\x02\0\0\0\x01\x05abc", "no known kind"),
            (b"PACK\0\0\0\x02\0\0\0\x01\xb0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "too large"),
            (b"PACK\0\0\0\x02\0\0\0\0", "does not end"),
        ] {
            let said = measure(bytes).unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(tail in prop::collection::vec(any::<u8>(), 0..400), count in 0_u8..4) {
            let _ = measure(&[&b"PACK\0\0\0\x02\0\0\0"[..], &[count], &tail].concat());
        }

        #[test]
        fn what_is_within_the_limits_is_measured_to_its_end(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8)
        ) {
            let objects: Vec<_> = texts.iter().map(|text| blob(text.len() as u64, text)).collect();
            prop_assert_eq!(measure(&pack(&objects)), Ok(()));
        }
    }
}
