/** A refusal of the screens' own API; its body is `{error: {code, message, nextStep?}}`. */
export class UiRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly nextStep: string | undefined;

  constructor(status: number, code: string, message: string, nextStep?: string) {
    super(message);
    this.name = 'UiRefusal';
    this.status = status;
    this.code = code;
    this.nextStep = nextStep;
  }
}
