// Search and commands in one list: a number goes to that candidate, words filter what can be done or gone to.
import { useState } from 'preact/hooks';
import { Dialog } from '../parts/controls';
import { liveModel, go, goLive, play, runs } from '../state/store';
import type { CommandName } from '../wire/wire';
import { listRows } from '../run/rows';
import { open } from './overlays';
import { TITLES, asking, give, hindrance } from './orders';
import { PLACE_NAMES, nextTheme } from './rail';

/** Entries shown at once. */
const MOST_ENTRIES = 12;

interface Entry {
  text: string;
  note: string;
  act(): void;
}

function entries(query: string): Entry[] {
  const model = liveModel();
  const found: Entry[] = [];
  const number = /^#?(\d+)$/.exec(query.trim());
  if (number && Number(number[1]) < model.table.count) {
    found.push({ text: `Candidate #${number[1]}`, note: 'inspect', act: () => go({ pick: Number(number[1]) }) });
  }
  for (const [place, name] of PLACE_NAMES) found.push({ text: name, note: 'go to', act: () => go({ place }) });
  const direct: [CommandName, string][] = [['pause_evolution', 'at once'], ['resume_evolution', 'at once']];
  for (const [name, note] of direct) {
    if (!hindrance(model, name)) found.push({ text: TITLES[name], note, act: () => void give(name, 'by hand, on the page') });
  }
  for (const name of ['pause_evolution', 'stop_evolution', 'set_budget'] as const) {
    const text = name === 'pause_evolution' ? 'Pause with a reason' : TITLES[name];
    if (!hindrance(model, name)) found.push({ text, note: 'asks first', act: () => (asking.value = { name, number: -1 }) });
  }
  found.push({ text: 'Live', note: 'show now', act: goLive }, { text: 'Replay the run', note: 'from the beginning', act: play });
  found.push({ text: 'Switch theme', note: 'system, light, dark', act: nextTheme });
  found.push({ text: 'Keys and help', note: '?', act: () => (open.value = 'help') });
  for (const head of runs.value.slice(0, 50)) {
    found.push({ text: `Run ${head.agent_id}`, note: `${head.state}, ${head.run_id}`, act: () => go({ run: head.run_id, pick: -1, at: 0 }) });
  }
  const words = query.trim().toLowerCase();
  const matching = found.filter((entry) => `${entry.note} ${entry.text}`.toLowerCase().includes(words.replace('#', '')) || entry.text.includes('#'));
  if (words.length > 1) {
    for (const row of listRows(model, 'all', query.trim(), '-score').slice(0, 8)) {
      const text = `#${row} ${model.words.get(row)?.rationale ?? ''}`;
      matching.push({ text, note: 'candidate', act: () => go({ pick: row }) });
    }
  }
  return matching.slice(0, MOST_ENTRIES);
}

export function Palette() {
  const [query, setQuery] = useState('');
  const [at, setAt] = useState(0);
  const found = entries(query);
  const close = (): void => {
    open.value = null;
  };
  const run = (entry: Entry | undefined): void => {
    if (!entry) return;
    close();
    entry.act();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setAt((at + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(found[at]);
    }
  };
  return (
    <Dialog title="Search and commands" onClose={close}>
      <input
        class="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={found[at] ? `palette-${at}` : undefined}
        aria-label="A candidate's number, words of its rationale, a place or a command"
        placeholder="#42, words of a rationale, a place, a command"
        autoFocus
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul class="palette" id="palette-list" role="listbox" aria-label="Found">
        {found.map((entry, index) => (
          <li key={`${entry.text}${entry.note}`} id={`palette-${index}`} role="option" aria-selected={index === at} onClick={() => run(entry)} onPointerMove={() => setAt(index)}>
            <span>{entry.text}</span>
            <span class="muted">{entry.note}</span>
          </li>
        ))}
        {found.length === 0 && <li class="none">Nothing found.</li>}
      </ul>
    </Dialog>
  );
}
