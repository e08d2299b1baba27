// The few things to press: a choice out of some, a select with its name, a dialog that asks before something happens.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { Icon } from './icons';

interface SegProps<T extends string> {
  name: string;
  options: readonly (readonly [T, string])[];
  value: T;
  onChange(value: T): void;
}

/** One of a few, all visible. */
export function Seg<T extends string>({ name, options, value, onChange }: SegProps<T>) {
  return (
    <div class="seg" role="group" aria-label={name}>
      {options.map(([key, text]) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onChange(key)}>
          {text}
        </button>
      ))}
    </div>
  );
}

interface PickProps {
  name: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange(value: string): void;
}

/** One of many. */
export function Pick({ name, value, options, onChange }: PickProps) {
  return (
    <label class="pick">
      <span>{name}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface DialogProps {
  title: string;
  wide?: boolean;
  onClose(): void;
  children: ComponentChildren;
}

/** A modal dialog of the browser's own: focus stays inside, Escape closes it, focus goes back afterwards. */
export function Dialog({ title, wide, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div class="dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <button class="iconbtn" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
