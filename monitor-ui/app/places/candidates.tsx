// Every candidate as a table: filter, search, sort, save. The twin of the lineage and of every chart of scores.
import { useRef } from 'preact/hooks';
import type { GridColumn } from '../parts/grid';
import { Grid } from '../parts/grid';
import { Seg } from '../parts/controls';
import { clock, withUnit, percent } from '../parts/figures';
import { Diamond, Icon } from '../parts/icons';
import { Fate, Mark, NONE, isViable } from '../run/candidates';
import { fateWord, listRows } from '../run/rows';
import type { RunModel } from '../run/model';
import { idOf } from '../run/model';
import { pickedRow } from '../inspector/inspector';
import { LARGE, go, model, told, view } from '../state/store';
import type { FateFilter } from '../state/url';

const FILTERS: readonly (readonly [FateFilter, string])[] = [
  ['all', 'All'],
  ['viable', 'Viable'],
  ['front', 'Front'],
  ['accepted', 'Accepted'],
  ['rejected', 'Rejected'],
  ['open', 'Open'],
];

function FateSign({ shown, row }: { shown: RunModel; row: number }) {
  const { fate, marks } = shown.table;
  if (marks[row] & Mark.champion) return <Diamond />;
  if (fate[row] === Fate.rejected || fate[row] === Fate.revoked) return <Icon name="cross" size={12} tone="worse" />;
  return <Icon name={isViable(fate[row]) ? 'tick' : 'ring'} size={12} tone={isViable(fate[row]) ? 'better' : 'same'} />;
}

export function candidateColumns(shown: RunModel): GridColumn<number>[] {
  const { table, objectives, arms, gates, words } = shown;
  const objectiveColumns = objectives.map((objective, index): GridColumn<number> => ({
    key: `o:${objective.name}`,
    head: objective.name,
    width: 'minmax(78px, 0.35fr)',
    right: true,
    sortable: true,
    cell: (row) => withUnit(table.scores[index][row], objective.unit),
    plain: (row) => table.scores[index][row],
  }));
  const gate = (row: number): string => (table.gate[row] === NONE ? '' : gates[table.gate[row]]);
  return [
    { key: 'number', head: 'number', width: '60px', sortable: true, right: true, cell: (row) => <button class="link" onClick={() => go({ pick: row })}>#{row}</button>, plain: (row) => row },
    {
      key: 'fate',
      head: 'fate',
      width: '104px',
      cell: (row) => (
        <span class="with-icon">
          <FateSign shown={shown} row={row} />
          {fateWord(shown, row)}
        </span>
      ),
      plain: (row) => fateWord(shown, row),
    },
    { key: 'score', head: 'score', width: '64px', right: true, sortable: true, cell: (row) => (Number.isFinite(table.score[row]) ? percent(table.score[row]) : '–'), plain: (row) => table.score[row] },
    ...objectiveColumns,
    { key: 'parent', head: 'parent', width: '56px', right: true, sortable: true, cell: (row) => (table.parent[row] < 0 ? '' : `#${table.parent[row]}`), plain: (row) => (table.parent[row] < 0 ? null : table.parent[row]) },
    { key: 'generation', head: 'gen', width: '40px', right: true, sortable: true, cell: (row) => table.generation[row], plain: (row) => table.generation[row] },
    { key: 'operator', head: 'operator', width: '76px', cell: (row) => arms[table.arm[row]]?.operator ?? '', plain: (row) => arms[table.arm[row]]?.operator ?? '' },
    { key: 'time', head: 'at', width: '48px', right: true, sortable: true, cell: (row) => clock(table.time[row]), plain: (row) => table.time[row] },
    { key: 'wall', head: 'took', width: '0', unseen: true, right: true, sortable: true, cell: (row) => (table.wall[row] > 0 ? `${table.wall[row].toFixed(2)} s` : '–'), plain: (row) => table.wall[row] },
    {
      key: 'why',
      head: 'why',
      width: 'minmax(140px, 3fr)',
      cell: (row) => [gate(row), words.get(row)?.reason || words.get(row)?.rationale].filter(Boolean).join(': '),
      plain: (row) => [gate(row), words.get(row)?.reason || words.get(row)?.rationale].filter(Boolean).join(': '),
    },
    { key: 'id', head: 'id', width: '0', unseen: true, cell: () => '', plain: (row) => idOf(shown, row) },
  ];
}

/** How long the list of a large run stands still before it is made anew, milliseconds. */
const LARGE_LIST_MS = 3000;

/** The listed rows; sorting a large run takes a while, so its list is kept for a little. */
function useRows(shown: RunModel, fates: FateFilter, query: string, sort: string): number[] {
  const kept = useRef({ key: '', at: 0, rows: [] as number[] });
  const key = [shown.runId, fates, query, sort, view.value.at].join(' ');
  const fresh = kept.current.key === key && performance.now() - kept.current.at < LARGE_LIST_MS;
  if (!fresh || shown.table.count < LARGE) kept.current = { key, at: performance.now(), rows: listRows(shown, fates, query, sort) };
  return kept.current.rows;
}

export function CandidatesTable({ name }: { name: string }) {
  told.value;
  const shown = model();
  const { fates, query, sort } = view.value;
  const rows = useRows(shown, fates, query, sort);
  const note = shown.words.size < rows.length ? 'reasons of old candidates are in the inspector' : '';
  return (
    <Grid
      name={name}
      columns={candidateColumns(shown)}
      rows={rows}
      rowKey={(row) => row}
      current={pickedRow(shown)}
      onPick={(row) => go({ pick: row })}
      sort={sort}
      onSort={(next) => go({ sort: next })}
      note={note}
      least={720 + shown.objectives.length * 50}
    />
  );
}

export function CandidatesPlace() {
  told.value;
  const { fates, query } = view.value;
  return (
    <main class="main one-place" id="place" tabIndex={-1}>
      <section class="panel" aria-labelledby="h-candidates">
        <header>
          <h2 id="h-candidates">Candidates</h2>
          <Seg name="Which" options={FILTERS} value={fates} onChange={(value) => go({ fates: value })} />
          <label class="find">
            <Icon name="search" size={14} />
            <span class="sr">Search number, operator, gate, reason</span>
            <input id="find" type="search" value={query} placeholder="number, operator, gate, reason" onInput={(event) => go({ query: event.currentTarget.value })} />
          </label>
        </header>
        <CandidatesTable name="Candidates" />
      </section>
    </main>
  );
}

