import { Writable } from 'node:stream';

/** A stream with a size that keeps what is written to it. */
export class FakeStream extends Writable {
  readonly columns: number;
  readonly rows: number;
  readonly isTTY = true;
  text = '';

  constructor(columns: number, rows = 24) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.rows = rows;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
