import { performance } from 'node:perf_hooks';
import type { Output } from '../terminal.ts';
import { cutToWidth } from './transcript/plain-text.ts';
import { seconds } from './transcript/tool-block.ts';

const CLEAR = '\r\u001b[K';
const TICK_MS = 1000;
/** What is over sooner is not worth a line. */
const QUIET_MS = 400;

/** One line at the bottom of the terminal that says what is being waited for, and how long. Nothing for programs. */
export class StatusLine {
  readonly #output: Output;
  #text = '';
  #since = 0;
  #isShown = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Says what is waited for from now on. */
  show(text: string): void {
    if (this.#output.isTTY !== true || text === this.#text) return;
    this.#text = text;
    this.#since = performance.now();
    this.#timer ??= setInterval(() => this.#draw(), TICK_MS).unref();
    setTimeout(() => this.#draw(), QUIET_MS).unref();
  }

  /** Takes the line away, before something else is written; it comes back by itself. */
  hide(): void {
    if (this.#isShown) this.#output.write(CLEAR);
    this.#isShown = false;
  }

  /** Ends it. */
  end(): void {
    this.hide();
    this.#text = '';
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Says whether the line may be drawn now: not while another line has no end. */
  isFree: () => boolean = () => true;

  #draw(): void {
    const ms = performance.now() - this.#since;
    if (this.#text === '' || ms < QUIET_MS || !this.isFree()) return;
    this.#isShown = true;
    const line = `${this.#text} ${seconds(Math.max(1000, Math.floor(ms / 1000) * 1000)).replace('.0', '')}`;
    this.#output.write(`${CLEAR}${cutToWidth(line, (this.#output.columns ?? 80) - 1)}`);
  }
}
