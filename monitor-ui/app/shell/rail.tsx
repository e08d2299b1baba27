// The five places, and what belongs to the page rather than to the run: theme, palette, help. On a phone it is the bar of
// tabs at the bottom.
import { signal } from '@preact/signals';
import { Icon } from '../parts/icons';
import type { IconName } from '../parts/icons';
import { acknowledged, alertId, changedNow, go, model, told, view } from '../state/store';
import type { Place } from '../state/url';
import { writeView } from '../state/url';
import { open } from './overlays';

export const PLACE_NAMES: readonly (readonly [Place, string, IconName])[] = [
  ['run', 'Run', 'run'],
  ['candidates', 'Candidates', 'candidates'],
  ['front', 'Front', 'front'],
  ['fleet', 'Fleet', 'fleet'],
  ['alerts', 'Alerts', 'alerts'],
];

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const KEPT = 'darwind.theme';

function keptTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEPT);
    return THEMES.find((theme) => theme === kept) ?? 'system';
  } catch {
    return 'system';
  }
}

export const theme = signal<Theme>(keptTheme());

export function setTheme(next: Theme): void {
  theme.value = next;
  applyTheme();
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // Without storage the choice holds until the page is closed.
  }
}

export function applyTheme(): void {
  const root = document.documentElement;
  if (theme.value === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme.value;
  changedNow();
}

export function nextTheme(): void {
  setTheme(THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]);
}

export function Rail() {
  told.value;
  const shown = model();
  const alerts = shown.alerts.filter((alert) => !acknowledged.value.has(alertId(shown.runId, alert.key))).length;
  return (
    <div class="rail">
      <div class="mark">
        <Icon name="mark" size={26} />
      </div>
      <nav aria-label="Places">
        {PLACE_NAMES.map(([place, name, icon]) => (
          <a
            key={place}
            href={writeView({ ...view.value, place })}
            aria-current={view.value.place === place ? 'page' : undefined}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              go({ place });
            }}
          >
            <Icon name={icon} size={20} />
            {name}
            {place === 'alerts' && alerts > 0 && (
              <span class="badge">
                {alerts > 99 ? '99+' : alerts}
                <span class="sr"> open</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <div class="foot">
        <button class="iconbtn" aria-label="Search and commands" title="Search and commands (Ctrl K)" onClick={() => (open.value = 'palette')}>
          <Icon name="search" size={18} />
        </button>
        <button class="iconbtn" aria-label={`Theme: ${theme.value}`} title={`Theme: ${theme.value}`} onClick={nextTheme}>
          <Icon name="theme" size={18} />
        </button>
        <button class="iconbtn" aria-label="Keys and help" title="Keys and help (?)" onClick={() => (open.value = 'help')}>
          <Icon name="help" size={18} />
        </button>
      </div>
    </div>
  );
}
