// The front in full: any two objectives against each other, a third as colour, how much it dominates over time, and its
// members as a table.
import { useState } from 'preact/hooks';
import { History } from '../charts/history';
import { flatFront, paretoChoice, paretoScene } from '../charts/pareto';
import { Plot } from '../charts/plot';
import { Columns } from '../charts/scene';
import { Pick, Seg } from '../parts/controls';
import { count, figure } from '../parts/figures';
import { Grid } from '../parts/grid';
import { pickedRow } from '../inspector/inspector';
import type { Objective } from '../wire/wire';
import { go, model, pictured, told, view } from '../state/store';
import { CandidateTip } from './run';
import { candidateColumns } from './candidates';

const axisName = ({ name, unit, direction }: Objective): string =>
  `${name}${unit ? ` in ${unit}` : ''}, ${direction === 'minimize' ? 'less is better' : 'more is better'}`;

export function FrontPlace() {
  told.value;
  const shown = model();
  const { fx, fy, fc, twin } = view.value;
  const [columns] = useState(() => new Columns());
  const [less, setLess] = useState('');
  const choice = paretoChoice(shown, fx, fy, fc);
  const names = shown.objectives.map(({ name }) => [name, name] as const);
  const members = [...shown.front].filter((row) => row < shown.table.count).sort((a, b) => shown.table.score[b] - shown.table.score[a]);
  const flat = choice ? flatFront(shown, choice).length : 0;
  const single = shown.objectives.length === 1;
  const hypervolume = shown.hypervolume.at(-1)?.value;
  return (
    <main class="main front-place" id="place" tabIndex={-1}>
      <section class="panel" aria-labelledby="h-front">
        <header>
          <h2 id="h-front">Front</h2>
          {choice && !single && (
            <>
              <Pick name="Across" value={choice.x.name} options={names} onChange={(value) => go({ fx: value, fy: value === choice.y.name ? choice.x.name : choice.y.name })} />
              <Pick name="Upright" value={choice.y.name} options={names} onChange={(value) => go({ fy: value, fx: value === choice.x.name ? choice.y.name : choice.x.name })} />
              <Pick name="Colour" value={fc} options={[['', 'score'], ...names]} onChange={(value) => go({ fc: value })} />
            </>
          )}
          <Seg name="View" options={[['plot', 'Plot'], ['table', 'Table']]} value={twin ? 'table' : 'plot'} onChange={(value) => go({ twin: value === 'table' })} />
          <span class="grow" />
          <span class="muted fine">
            {count(members.length)} on the front{!single && choice && flat !== members.length ? `, ${flat} over these two` : ''}
          </span>
        </header>
        {single && <p class="less">One objective: the front is the best value known, and there is nothing to trade. The table lists who holds it.</p>}
        {less && !twin && !single && <p class="less">Shown less than everything: {less}.</p>}
        {twin || single ? (
          <Grid name="Front" rows={members} columns={candidateColumns(shown)} rowKey={(row) => row} current={pickedRow(shown)} onPick={(row) => go({ pick: row })} />
        ) : (
          <Plot
            name={choice ? `Front of ${choice.y.name} over ${choice.x.name}` : 'Front'}
            scene={() => paretoScene(pictured(), choice, columns)}
            deps={[choice?.x.name, choice?.y.name, fc, shown.runId]}
            picked={pickedRow(shown)}
            onPick={(row) => go({ pick: row })}
            tip={(row) => <CandidateTip row={row} />}
            onLess={setLess}
          >
            {choice && (
              <>
                <span class="axis-name y">
                  {axisName(choice.y)}
                </span>
                <span class="axis-name x">
                  {axisName(choice.x)}
                </span>
              </>
            )}
          </Plot>
        )}
      </section>
      <section class="panel" aria-labelledby="h-hv">
        <header>
          <h2 id="h-hv">Hypervolume over time</h2>
          <span class="muted fine clip">how much the front dominates, 0 to 1</span>
          <span class="now">{hypervolume === undefined ? '–' : figure(hypervolume)}</span>
        </header>
        <div class="half">
          <History name="hypervolume" points={() => pictured().hypervolume} deps={[shown.runId]} />
          <Grid
            name="Hypervolume"
            rows={[...shown.hypervolume].reverse()}
            rowKey={(point) => point.seq}
            columns={[
              { key: 'seq', head: 'seq', width: '64px', right: true, cell: (point) => point.seq, plain: (point) => point.seq },
              { key: 'evaluation', head: 'evaluations', width: '88px', right: true, cell: (point) => point.evaluation, plain: (point) => point.evaluation },
              { key: 'value', head: 'hypervolume', width: 'minmax(0,1fr)', right: true, cell: (point) => figure(point.value), plain: (point) => point.value },
            ]}
          />
        </div>
      </section>
    </main>
  );
}
