// Which of the page's own overlays is open.
import { signal } from '@preact/signals';

export const open = signal<'palette' | 'help' | null>(null);
