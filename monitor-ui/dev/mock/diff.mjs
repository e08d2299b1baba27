// A diff in the form of the wire, for looking at the page; what it says is invented, except the candidate's rationale.
export function exampleDiff(candidate, against) {
  const lines = [
    { kind: ' ', old: 11, new: 11, text: 'def frequencies(rows):' },
    { kind: '-', old: 12, new: null, text: '    counts = []', marks: [[13, 15]] },
    { kind: '+', old: null, new: 12, text: '    counts = {}', marks: [[13, 15]] },
    { kind: ' ', old: 13, new: 13, text: '    for row in rows:' },
    { kind: '-', old: 14, new: null, text: '        name = row.split(",")[0].strip()' },
    { kind: '-', old: 15, new: null, text: '        counts.append((name, rows.count(row)))' },
    { kind: '+', old: null, new: 14, text: '        name = row.partition(",")[0].strip()' },
    { kind: '+', old: null, new: 15, text: '        counts[name] = counts.get(name, 0) + 1' },
    { kind: ' ', old: 16, new: 16, text: '    return sorted(counts)' },
    { kind: ' ', old: 17, new: 17, text: '' },
  ];
  const path = candidate.files[0] ?? 'report.py';
  const files = candidate.number === 0 ? [] : [{ path, status: 'modified', added: 3, removed: 3, hunks: [{ header: '@@ -11,7 +11,7 @@ def frequencies(rows):', lines }] }];
  return { from: against ?? candidate.parents[0] ?? candidate.id, to: candidate.id, files };
}
