// The inspector's first page: scores against parent and baseline, cases, the gates, the rationale.
import type { CandidateDetail } from '../protocol/http';
import type { Difference } from '../wire/wire';
import * as http from '../protocol/http';
import type { Case } from '../wire/wire';
import { figure, measured, withUnit } from '../parts/figures';
import { Delta } from '../parts/delta';
import { Icon } from '../parts/icons';
import type { IconName } from '../parts/icons';
import { Fate } from '../run/candidates';
import type { RunModel } from '../run/model';
import { idOf } from '../run/model';
import { useAsked } from './asked';
import { nicheWords } from '../state/feed';
import { DiffView } from './diff';
import { gatesOf, verdictTitle } from './gates';
import type { Gate } from './gates';
import { Ring } from './ring';

interface Props {
  model: RunModel;
  row: number;
  detail: CandidateDetail | null;
  parentCases: Case[] | null;
}

export function Summary({ model, row, detail, parentCases }: Props) {
  const { table, words } = model;
  const rationale = detail?.rationale ?? words.get(row)?.rationale ?? '';
  return (
    <>
      <Scores model={model} row={row} detail={detail} parentCases={parentCases} />
      <section class="sect">
        <h3>
          <strong>{verdictTitle(table.fate[row], row)}</strong>
          {table.seq[row] > 0 && <span class="r">seq {table.seq[row]}</span>}
        </h3>
        <Gates gates={gatesOf(model, row, detail)} />
        {detail?.niche && <p class="muted">Placed among the parents: {nicheWords(detail.niche)}</p>}
      </section>
      {rationale && row > 0 && (
        <section class="sect">
          <p class="why">
            <b>Rationale.</b> {rationale}
          </p>
        </section>
      )}
      {row > 0 && <ParentDiff model={model} row={row} />}
      <Metrics detail={detail} />
    </>
  );
}

/** What it changed: the diff against its parent, so that nobody has to look for it. */
function ParentDiff({ model, row }: { model: RunModel; row: number }) {
  const parent = model.table.parent[row];
  const proposed = parent >= 0 && model.table.fate[row] >= Fate.proposed && model.table.fate[row] !== Fate.discarded;
  const key = proposed ? `${model.runId}:diff:${row}:${parent}` : '';
  const asked = useAsked<Difference>(key, () => http.diff(model.runId, idOf(model, row), idOf(model, parent)));
  if (asked.state === 'none') return null;
  return (
    <section class="sect">
      <h3>
        <strong>Change</strong>
        <span class="r">against its parent #{parent}</span>
      </h3>
      {asked.state === 'asking' && <p class="state-note">Asking for the difference…</p>}
      {asked.state === 'failed' && <p class="state-note">The difference did not come: {asked.why}</p>}
      {asked.state === 'here' && <DiffView diff={asked.value} />}
    </section>
  );
}

function Scores({ model, row, detail, parentCases }: Props) {
  const { table, objectives } = model;
  const parent = table.parent[row];
  const cases = detail?.cases ?? [];
  return (
    <section class="sect">
      <div class={cases.length > 0 ? 'scores with-ring' : 'scores'}>
        <table>
          <thead>
            <tr>
              <th scope="col">objective</th>
              <th scope="col">#{row}</th>
              {parent > 0 && <th scope="col" class="wide">parent #{parent}</th>}
              {parent > 0 && <th scope="col">to parent</th>}
              {row > 0 && <th scope="col" class="wide">baseline</th>}
              {row > 0 && <th scope="col">to baseline</th>}
            </tr>
          </thead>
          <tbody>
            {objectives.map((objective, index) => {
              const column = table.scores[index];
              const [value, unit] = measured(column[row], objective.unit);
              return (
                <tr key={objective.name}>
                  <th scope="row">
                    {objective.name} <span class="u wide">{objective.direction === 'minimize' ? 'less is better' : 'more is better'}</span>
                  </th>
                  <td class="now">
                    {value} <span class="u">{unit}</span>
                  </td>
                  {parent > 0 && <td class="wide">{withUnit(column[parent], objective.unit)}</td>}
                  {parent > 0 && (
                    <td>
                      <Delta objective={objective} from={column[parent]} value={column[row]} />
                    </td>
                  )}
                  {row > 0 && <td class="wide">{withUnit(column[0], objective.unit)}</td>}
                  {row > 0 && (
                    <td>
                      <Delta objective={objective} from={column[0]} value={column[row]} />
                    </td>
                  )}
                </tr>
              );
            })}
          </tbody>
        </table>
        {cases.length > 0 && <Ring cases={cases} total={detail?.cases_total ?? cases.length} parent={parentCases} />}
      </div>
      {cases.length > 0 && <Cases cases={cases} />}
    </section>
  );
}

function Cases({ cases }: { cases: Case[] }) {
  const failed = cases.filter((one) => !one.passed);
  if (failed.length === 0) return null;
  return (
    <details class="cases">
      <summary>
        {failed.length} failing {failed.length === 1 ? 'case' : 'cases'}
      </summary>
      <ul>
        {failed.slice(0, 200).map((one) => (
          <li key={one.name}>
            <Icon name="cross" size={12} tone="worse" />
            <span class="mono">{one.name}</span>
            <span class="muted">{one.failure}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}

const SIGNS: Record<Gate['state'], [IconName, string, string]> = {
  pass: ['tick', 'better', 'passed'],
  fail: ['cross', 'worse', 'failed'],
  skip: ['skip', 'same', 'not reached'],
  open: ['ring', 'same', 'not yet'],
};

function Gates({ gates }: { gates: Gate[] }) {
  return (
    <ol class="gates">
      {gates.map((gate, index) => {
        const [icon, tone, words] = SIGNS[gate.state];
        const kind = gate.decides ? (gate.state === 'fail' ? 'broke' : 'decides') : gate.state;
        return (
          <li key={index} class={kind}>
            <Icon name={icon} size={14} tone={tone} />
            <span class="g">
              {gate.name.replaceAll('_', ' ')}
              <span class="sr"> {words}</span>
            </span>
            <span class="m">{gate.text}</span>
            <span class="s">{gate.decides ? ['decided', gate.note].filter(Boolean).join(', ') : gate.note}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Metrics({ detail }: { detail: CandidateDetail | null }) {
  const metrics = Object.entries(detail?.metrics ?? {});
  const denials = Object.entries(detail?.denials ?? {});
  if (metrics.length === 0 && denials.length === 0) return null;
  return (
    <section class="sect">
      <h3>
        <strong>Further figures</strong>
      </h3>
      <dl class="figures">
        {denials.map(([name, times]) => (
          <div key={name}>
            <dt>denied {name}</dt>
            <dd class="worse">{times}</dd>
          </div>
        ))}
        {metrics.slice(0, 40).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{figure(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
