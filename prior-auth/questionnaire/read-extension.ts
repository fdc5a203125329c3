import type { Expression, Extension } from '@medplum/fhirtypes';
import { QUESTIONNAIRE_EXTENSIONS } from './extension-urls.ts';

export type ExtensionName = keyof typeof QUESTIONNAIRE_EXTENSIONS;
interface Extended { readonly extension?: readonly Extension[] | undefined }

export function extensionsNamed(element: Extended | undefined, name: ExtensionName): Extension[] {
  const urls: readonly string[] = QUESTIONNAIRE_EXTENSIONS[name];
  return (element?.extension ?? []).filter((extension) => urls.includes(extension.url ?? ''));
}

export function extensionNamed(element: Extended | undefined, name: ExtensionName): Extension | undefined {
  return extensionsNamed(element, name)[0];
}

/** The extensions of a primitive: `text` of an item has them in `_text`. */
export function extensionsOfPrimitive(element: object, property: string): Extended | undefined {
  const beside: unknown = Reflect.get(element, `_${property}`);
  return typeof beside === 'object' && beside !== null ? beside : undefined;
}

export function part(extension: Extension, url: string): Extension | undefined {
  return extension.extension?.find((inner) => inner.url === url);
}

/** FHIRPath expressions are the engine's; CQL is run by the server's population. */
export function isFhirPath(expression: Expression | undefined): expression is Expression {
  return expression?.language === 'text/fhirpath' && Boolean(expression.expression);
}
