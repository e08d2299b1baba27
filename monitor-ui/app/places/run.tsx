// The first place: lineage, one small chart an objective, the front, the events.
import { useState } from 'preact/hooks';
import { lineageScene } from '../charts/lineage';
import { paretoChoice, paretoScene } from '../charts/pareto';
import { Plot } from '../charts/plot';
import { bestSoFar, progressScene } from '../charts/progress';
import { Columns } from '../charts/scene';
import { Pick, Seg } from '../parts/controls';
import { Delta } from '../parts/delta';
import { count, figure, withUnit } from '../parts/figures';
import { Diamond, Icon } from '../parts/icons';
import { Grid } from '../parts/grid';
import type { Objective } from '../wire/wire';
import { scoreWords } from '../inspector/gates';
import { pickedRow } from '../inspector/inspector';
import { fateWord } from '../run/rows';
import type { RunModel } from '../run/model';
import { FeedPanel } from '../shell/feed';
import { go, model, pictured, told, view } from '../state/store';
import type { Across } from '../state/url';
import { CandidatesTable } from './candidates';

const ACROSS_NAMES: readonly (readonly [Across, string])[] = [
  ['time', 'Time'],
  ['evaluations', 'Evaluations'],
  ['money', 'Money'],
];
/** Small charts at most; the other objectives are on the front's page. */
const MOST_SMALL = 3;

export function RunPlace() {
  told.value;
  const shown = model();
  return (
    <main class="main run-place" id="place" tabIndex={-1}>
      <LineagePanel shown={shown} />
      <div class={`multi of-${Math.min(MOST_SMALL, shown.objectives.length)}`}>
        {shown.objectives.slice(0, MOST_SMALL).map((objective) => (
          <ProgressPanel key={objective.name} shown={shown} objective={objective} />
        ))}
        <SmallFront shown={shown} />
      </div>
      <FeedPanel />
    </main>
  );
}

export function CandidateTip({ row }: { row: number }) {
  const shown = model();
  const { table, objectives } = shown;
  const parent = table.parent[row];
  return (
    <>
      <p class="t">
        <b>#{row}</b>
        <span class="muted">{fateWord(shown, row)}</span>
        <span class="grow" />
        {scoreWords(shown, row)}
      </p>
      {shown.words.get(row)?.rationale && row > 0 && <p class="tip-why">{shown.words.get(row)?.rationale}</p>}
      <dl>
        {objectives.map((objective, index) => {
          const column = table.scores[index];
          return (
            <div key={objective.name}>
              <dt>{objective.name}</dt>
              <dd>{withUnit(column[row], objective.unit)}</dd>
              <dd>{parent >= 0 && Number.isFinite(column[row]) && <Delta objective={objective} from={column[parent]} value={column[row]} />}</dd>
            </div>
          );
        })}
      </dl>
      {shown.words.get(row)?.reason && <p class="tip-why">{shown.words.get(row)?.reason}</p>}
    </>
  );
}

const tip = (row: number) => <CandidateTip row={row} />;
const inspect = (row: number): void => go({ pick: row });

function LineagePanel({ shown }: { shown: RunModel }) {
  const { mode, across, upright } = view.value;
  const [less, setLess] = useState('');
  const names = shown.objectives.length > 1 ? shown.objectives : [];
  const notes = [less, shown.overflow > 0 && `${count(shown.overflow)} candidates beyond the page's limit are not drawn`].filter(Boolean);
  return (
    <section class="panel lin" aria-labelledby="h-lin">
      <header>
        <h2 id="h-lin">Lineage</h2>
        <Seg name="View" options={[['score', 'Score'], ['generations', 'Generations'], ['tree', 'Tree'], ['table', 'Table']]} value={mode} onChange={(value) => go({ mode: value })} />
        {mode === 'score' && <Seg name="Across" options={ACROSS_NAMES} value={across} onChange={(value) => go({ across: value })} />}
        {names.length > 0 && mode !== 'tree' && mode !== 'table' && (
          <Pick name="Upright" value={upright} options={[['score', 'score'], ...names.map(({ name }) => [name, name] as const)]} onChange={(value) => go({ upright: value })} />
        )}
        <span class="grow" />
        <Legend shown={shown} />
      </header>
      {notes.length > 0 && <p class="less">Shown less than everything: {notes.join('; ')}.</p>}
      {mode === 'table' ? (
        <CandidatesTable name="Lineage" />
      ) : (
        <Plot
          name={`Lineage: ${shown.table.count} candidates by score`}
          scene={() => lineageScene(pictured(), { mode, across, upright })}
          deps={[mode, across, upright, shown.runId]}
          picked={pickedRow(shown)}
          onPick={inspect}
          tip={tip}
          onLess={setLess}
        />
      )}
    </section>
  );
}

function Legend({ shown }: { shown: RunModel }) {
  const failed = shown.counters.rejected;
  return (
    <div class="legend">
      <span class="ramp">
        score
        <svg width="56" height="8" aria-hidden="true">
          {[0, 1, 2, 3, 4, 5, 6].map((step) => (
            <rect key={step} x={step * 8} width="7" height="8" class={`ramp-${step}`} />
          ))}
        </svg>
        better
      </span>
      <span>
        <Diamond /> champion
      </span>
      <span>
        <Icon name="ring" size={12} /> front {shown.front.size}
      </span>
      <span>
        <Icon name="cross" size={10} /> failed {failed}
      </span>
    </div>
  );
}

function ProgressPanel({ shown, objective }: { shown: RunModel; objective: Objective }) {
  const { across } = view.value;
  const [columns] = useState(() => new Columns());
  const id = `h-progress-${shown.objectives.indexOf(objective)}`;
  const best = bestSoFar(shown, objective, 'evaluations').at(-1);
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{objective.name}</h2>
        <span class="muted fine clip">{objective.direction === 'minimize' ? 'less is better' : 'more is better'}</span>
        <span class="now">{best ? withUnit(best[1], objective.unit) : '–'}</span>
      </header>
      <Plot
        name={`Best ${objective.name} so far`}
        scene={() => progressScene(pictured(), objective, across, columns)}
        deps={[across, objective.name, shown.runId]}
        picked={pickedRow(shown)}
        onPick={inspect}
        tip={tip}
        compact
      />
    </section>
  );
}

function SmallFront({ shown }: { shown: RunModel }) {
  const { fx, fy, fc } = view.value;
  const [columns] = useState(() => new Columns());
  const choice = paretoChoice(shown, fx, fy, fc);
  const hypervolume = shown.hypervolume.at(-1)?.value;
  if (!choice || choice.x === choice.y) return <OperatorsPanel shown={shown} />;
  return (
    <section class="panel" aria-labelledby="h-small-front">
      <header>
        <h2 id="h-small-front">Front</h2>
        <span class="muted fine clip">
          {choice.y.name} over {choice.x.name}
        </span>
        <span class="now fine">hypervolume {hypervolume === undefined ? '–' : figure(hypervolume)}</span>
      </header>
      <Plot
        name={`Front of ${choice.y.name} over ${choice.x.name}`}
        scene={() => paretoScene(pictured(), choice, columns)}
        deps={[choice.x.name, choice.y.name, fc, shown.runId]}
        picked={pickedRow(shown)}
        onPick={inspect}
        tip={tip}
        compact
      />
    </section>
  );
}

/** With one objective there is no front to draw: what the operators brought stands in its place. */
function OperatorsPanel({ shown }: { shown: RunModel }) {
  const arms = [...shown.arms].sort((a, b) => b.tries - a.tries);
  return (
    <section class="panel" aria-labelledby="h-small-arms">
      <header>
        <h2 id="h-small-arms">Operators</h2>
        <span class="muted fine clip">what each brought</span>
      </header>
      <Grid
        bare
        name="Operators"
        rows={arms}
        rowKey={(arm) => shown.arms.indexOf(arm)}
        columns={[
          { key: 'name', head: 'operator', width: 'minmax(0,1fr)', cell: (arm) => arm.operator, plain: (arm) => arm.operator },
          { key: 'tries', head: 'tried', width: '56px', right: true, cell: (arm) => arm.tries, plain: (arm) => arm.tries },
          { key: 'viable', head: 'viable', width: '56px', right: true, cell: (arm) => arm.viable, plain: (arm) => arm.viable },
          { key: 'accepted', head: 'better', width: '56px', right: true, cell: (arm) => arm.accepted, plain: (arm) => arm.accepted },
        ]}
      />
    </section>
  );
}
