// The page as a whole: rail, header, the place that the view names, inspector, time. And what stands in their stead while
// there is no session, no daemon or no run.
import { useEffect, useState } from 'preact/hooks';
import { Inspector } from './inspector/inspector';
import { Icon } from './parts/icons';
import { AlertsPlace } from './places/alerts';
import { CandidatesPlace } from './places/candidates';
import { FleetPlace } from './places/fleet';
import { FrontPlace } from './places/front';
import { RunPlace } from './places/run';
import { clock } from './parts/figures';
import { Header, PHASE_WORDS, isStale, useSecond } from './shell/header';
import { Help } from './shell/keys';
import { OrderDialog } from './shell/order-dialog';
import { open } from './shell/overlays';
import { Palette } from './shell/palette';
import { Rail } from './shell/rail';
import { Scrubber } from './shell/scrubber';
import { chooseRun, enter, start } from './state/daemon';
import * as store from './state/store';

const PLACES = { run: RunPlace, candidates: CandidatesPlace, front: FrontPlace, fleet: FleetPlace, alerts: AlertsPlace };

export function Page() {
  const { place, run } = store.view.value;
  useEffect(() => chooseRun(), [run]);
  useTitle();
  if (store.gate.value !== 'open') return <Gate />;
  const Place = PLACES[place];
  return (
    <div class="app" data-place={place}>
      <a class="skip" href="#place" onClick={(event) => { event.preventDefault(); document.getElementById('place')?.focus(); }}>
        To the content
      </a>
      <Rail />
      <Header />
      <Banner />
      <Place />
      <Inspector />
      <Scrubber />
      <OrderDialog />
      {open.value === 'palette' && <Palette />}
      {open.value === 'help' && <Help />}
      <Toast />
    </div>
  );
}

function useTitle(): void {
  const words = store.told.value;
  useEffect(() => {
    const { agentId, phase, runId } = store.liveModel();
    document.title = runId ? `${agentId} · ${PHASE_WORDS[phase].toLowerCase()} · darwind` : 'darwind';
  }, [words]);
}

/** Says when what is seen is not the run as it is now. */
function Banner() {
  useSecond();
  store.told.value;
  const live = store.liveModel();
  const silent = performance.now() - store.heardAt;
  if (store.outdated.value) {
    return (
      <p class="banner warn" role="status">
        <Icon name="warn" size={14} /> The daemon was updated. <button class="link" onClick={() => location.reload()}>Reload the page</button>
      </p>
    );
  }
  if (store.link.value.phase !== 'open' && live.runId) {
    return (
      <p class="banner fail" role="status">
        <Icon name="warn" size={14} /> Disconnected: {isStale(silent) ? 'these figures are stale, ' : ''}last heard {clock(silent / 1000)} ago at event {live.seq}. Trying again.
      </p>
    );
  }
  if (store.isReplay.value) {
    const shown = store.model();
    return (
      <p class="banner replay" role="status">
        You are looking at event {shown.seq} of {live.seq}.{shown.seq < live.exactFrom ? ' From before this page was opened: work under way then is not shown.' : ''}{' '}
        <button class="link" onClick={store.goLive}>Back to live</button>
      </p>
    );
  }
  if (store.isLoading.value) {
    return (
      <p class="banner" role="status">
        Loading the run: event {live.seq} of {store.goal.value}.
      </p>
    );
  }
  if (store.runs.value.length === 0 && store.link.value.phase === 'open') {
    return (
      <p class="banner" role="status">
        There is no run yet. Start one with <code>darwind run PATH</code>; it appears here by itself.
      </p>
    );
  }
  const wanted = store.view.value.run;
  if (wanted && !live.runId && store.runs.value.length > 0 && !store.runs.value.some((head) => head.run_id === wanted)) {
    return (
      <p class="banner warn" role="status">
        <Icon name="warn" size={14} /> There is no run {wanted} here.{' '}
        <button class="link" onClick={() => store.go({ run: '', pick: -1, at: 0 })}>Show the newest</button>
      </p>
    );
  }
  if (live.phase === 'paused') {
    return (
      <p class="banner warn" role="status">
        <Icon name="pause" size={14} /> Paused{live.pauseReason ? `: ${live.pauseReason}` : ''}. Nothing new is started.
      </p>
    );
  }
  return null;
}

function Gate() {
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState('');
  const state = store.gate.value;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setProblem((await enter(token.trim())) ?? '');
  };
  return (
    <main class="gate" id="place">
      <Icon name="mark" size={40} />
      <h1>darwind</h1>
      {state === 'opening' && <p role="status">Opening…</p>}
      {state === 'failed' && (
        <>
          <p role="status">The daemon does not answer. It may not be running any more.</p>
          <button class="btn primary" onClick={() => void start()}>
            Try again
          </button>
        </>
      )}
      {state === 'token' && (
        <form onSubmit={submit}>
          <p>This page can command a daemon, so it wants the token that the daemon printed with its link. After a restart the token may be another.</p>
          <label class="field">
            <span>Token</span>
            <input type="password" autocomplete="off" value={token} onInput={(event) => setToken(event.currentTarget.value)} />
          </label>
          {problem && <p class="worse" role="alert">{problem}</p>}
          <button class="btn primary" disabled={token.trim() === ''}>
            Open
          </button>
        </form>
      )}
    </main>
  );
}

function Toast() {
  const toast = store.toast.value;
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toast && (
        <p class={`toast ${toast.tone}`}>
          <Icon name={toast.tone === 'good' ? 'tick' : 'warn'} size={14} tone={toast.tone === 'good' ? 'better' : 'worse'} />
          {toast.text}
        </p>
      )}
    </div>
  );
}
