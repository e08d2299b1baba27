// The files of a candidate and what its evaluation left behind, as text. What candidates wrote is hostile until proven
// otherwise: it is only ever put into text nodes.
import { useState } from 'preact/hooks';
import { saveAs } from '../parts/csv';
import { Icon } from '../parts/icons';
import * as http from '../protocol/http';
import { useAsked } from './asked';

/** Characters of a file that are shown; the whole can be saved. */
const MOST_SHOWN = 200_000;

interface Props {
  run: string;
  id: string;
  files: string[];
}

export function FilesView({ run, id, files }: Props) {
  const [chosen, setChosen] = useState('');
  const path = files.includes(chosen) ? chosen : (files[0] ?? '');
  const asked = useAsked(path ? `${run}:file:${id}:${path}` : '', () => http.file(run, id, path));
  const left = useAsked(`${run}:artifacts:${id}`, () => http.artifacts(run, id));
  const artifacts = left.state === 'here' ? left.value.artifacts : [];
  return (
    <section class="sect fill">
      {files.length === 0 && <p class="state-note">It changes no file.</p>}
      {files.length > 0 && (
        <div class="file-bar" role="group" aria-label="Files that it changes">
          {files.map((name) => (
            <button key={name} class="chip" aria-pressed={name === path} onClick={() => setChosen(name)}>
              {name}
            </button>
          ))}
          {asked.state === 'here' && (
            <button class="btn small" onClick={() => saveAs(path.split('/').pop() ?? 'file', asked.value, 'text/plain')}>
              <Icon name="save" size={14} /> Save
            </button>
          )}
        </div>
      )}
      {asked.state === 'asking' && <p class="state-note">Asking for it…</p>}
      {asked.state === 'failed' && <p class="state-note">The file did not come: {asked.why}</p>}
      {asked.state === 'here' && (
        <>
          <pre class="log">{asked.value.slice(0, MOST_SHOWN)}</pre>
          {asked.value.length > MOST_SHOWN && <p class="state-note">Only the beginning is shown; save it to see all.</p>}
        </>
      )}
      <h3>
        <strong>Artifacts</strong>
      </h3>
      {artifacts.length === 0 && <p class="state-note">{left.state === 'asking' ? 'Asking for them…' : 'Its evaluation left none.'}</p>}
      <ul>
        {artifacts.map((one) => (
          <li key={one} class="mono">
            {one}
          </li>
        ))}
      </ul>
    </section>
  );
}
