import type { Attachment, Questionnaire } from '@medplum/fhirtypes';
import type { ItemMedia, SupportLink } from './form.ts';

/** Pictures, sound and film inside the form are shown; what lies at a payer's address is a link for a person to open, never fetched. */
export function readMedia(media: Attachment | undefined, questionnaire: Questionnaire): { readonly shown?: ItemMedia; readonly link?: SupportLink } {
  if (!media) return {};
  const { title, url } = media;
  const inside = media.data ? media : containedBinary(url, questionnaire);
  const contentType = inside?.contentType ?? '';
  if (inside?.data && /^(image\/(png|jpeg|gif|webp)|audio\/[\w.+-]+|video\/[\w.+-]+)$/.test(contentType) && /^[A-Za-z0-9+/=\s]+$/.test(inside.data)) {
    return { shown: { contentType, url: `data:${contentType};base64,${inside.data}`, title: title ?? '' } };
  }
  if (url && /^data:(image\/(png|jpeg|gif|webp)|audio\/|video\/)/.test(url)) return { shown: { contentType: url.slice(5).split(/[;,]/)[0] ?? '', url, title: title ?? '' } };
  return url && /^https?:\/\//i.test(url) ? { link: { url, ...(title ? { label: title } : {}) } } : {};
}

function containedBinary(url: string | undefined, questionnaire: Questionnaire): { readonly data?: string; readonly contentType?: string } | undefined {
  if (!url?.startsWith('#')) return undefined;
  const found = questionnaire.contained?.find((resource) => `#${resource.id}` === url);
  return found?.resourceType === 'Binary' ? found : undefined;
}
