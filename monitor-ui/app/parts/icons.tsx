// Every picture of the page as a line drawing in the colour of the text beside it. All are decoration: the words say it.

const PATHS = {
  run: 'M3 15c4 0 4-8 8-8h5M7.500 12.500C9 14.500 11 15 16 15M15.500 7a1.500 1.500 0 1 0 3 0a1.500 1.500 0 1 0-3 0M15.500 15a1.500 1.500 0 1 0 3 0a1.500 1.500 0 1 0-3 0',
  candidates: 'M3 5h3M9 5h8M3 10h3M9 10h8M3 15h3M9 15h8',
  front: 'M3 3v14h14M6 5v4h4v3h3v2.500h4',
  fleet: 'M3 4h14v5H3zM3 11h14v5H3zM6 6.500h.01M6 13.500h.01M10 6.500h4M10 13.500h4',
  alerts: 'M10 3l7.500 13.500h-15zM10 8.500v3.500M10 14.300v.01',
  help: 'M3 10a7 7 0 1 0 14 0a7 7 0 1 0-14 0M8 8c0-2.700 4-2.700 4 0c0 1.500-2 1.600-2 3.200M10 13.800v.01',
  theme: 'M3.500 10a6.500 6.500 0 1 0 13 0a6.500 6.500 0 1 0-13 0M10 3.500v13M10 6h4.500M10 9h6M10 12h6M10 15h3.500',
  pause: 'M7 5v10M13 5v10',
  play: 'M7 4.500v11l8.500-5.500z',
  stop: 'M5.500 5.500h9v9h-9z',
  tick: 'M4 10.500l4 4 8.500-9.500',
  cross: 'M5 5l10 10M15 5L5 15',
  skip: 'M5 10h10',
  warn: 'M10 3l7.500 13.500h-15zM10 8.500v3.500M10 14.300v.01',
  ring: 'M5 10a5 5 0 1 0 10 0a5 5 0 1 0-10 0',
  rate: 'M3 15l5-6 4 3 5-8',
  undo: 'M7 5L3.500 8.500L7 12M4 8.500h8a4 4 0 0 1 0 8h-4',
  save: 'M10 3v9M6.500 9l3.500 3.500L13.500 9M4 16.500h12',
  search: 'M4 9a5 5 0 1 0 10 0a5 5 0 1 0-10 0M13 13l4 4',
  close: 'M5 5l10 10M15 5L5 15',
  mark: 'M6 2.500c0 5 8 5 8 10M14 2.500c0 2.500-2 3.700-4 5M6 12.500c0-2 1.600-3.300 3.200-4.300M6 12.500c0 2 .8 3.500 2 5M14 12.500c0 2-.8 3.500-2 5M6.800 4.500h6.400M6.800 15.500h6.400',
} as const;
export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, tone }: { name: IconName; size?: number; tone?: string }) {
  return (
    <svg class={tone ? `icon ${tone}` : 'icon'} width={size} height={size} viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The champion's sign, filled. */
export function Diamond({ size = 12 }: { size?: number }) {
  return (
    <svg class="icon solid accent" width={size} height={size} viewBox="0 0 12 12" aria-hidden="true">
      <path d="M6 .5 11.500 6 6 11.500.5 6z" />
    </svg>
  );
}
