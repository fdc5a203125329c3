import PdfWriter from 'pdfkit';
import type { Packet, PacketSection } from '#prior-auth/packet.ts';
import { packetFonts } from './fonts.ts';

const MARGIN = { top: 72, bottom: 60, left: 54, right: 54 };
const INDENT = 14;
const [INK, QUIET, RULE] = ['#111111', '#555555', '#999999'];

/** US Letter, tagged (headings, paragraphs, lists; head and foot as artifacts), language and title set. */
export function writePacketPdf(packet: Packet): Promise<Buffer> {
  const fonts = packetFonts();
  const document = new PdfWriter({
    size: 'LETTER', margins: MARGIN, bufferPages: true, pdfVersion: '1.7', tagged: true, lang: 'en-US', displayTitle: true,
    info: { Title: `${packet.title} ${packet.caseNumber}`, CreationDate: new Date(packet.madeAt) },
  });
  document.registerFont('regular', fonts.regular).registerFont('bold', fonts.bold);
  const chunks: Buffer[] = [];
  const finished = new Promise<Buffer>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  const root = document.struct('Document');
  document.addStructure(root);
  write(document, root, 'H1', packet.title, { size: 18, bold: true });
  for (const section of packet.sections) writeSection(document, root, section);
  root.end();
  writeHeadsAndFeet(document, packet);
  document.end();
  return finished;
}

type Pdf = PDFKit.PDFDocument;
type Structure = PDFKit.PDFStructureElement;

function writeSection(document: Pdf, root: Structure, section: PacketSection): void {
  const part = document.struct('Sect');
  root.add(part);
  // A heading is not left alone at the foot of a page.
  if (document.y > document.page.height - MARGIN.bottom - 80) document.addPage();
  document.moveDown(0.8);
  write(document, part, 'H2', section.title, { size: 13, bold: true });
  for (const { label, value } of section.kind === 'list' ? [] : section.facts) write(document, part, 'P', `${label}: ${value}`);
  if (section.kind === 'list') {
    const list = document.struct('L');
    part.add(list);
    for (const entry of section.entries) {
      const item = document.struct('LI');
      list.add(item);
      write(document, item, 'LBody', `• ${entry}`);
      item.end();
    }
    list.end();
    if (section.entries.length === 0) write(document, part, 'P', 'None');
  }
  if (section.kind === 'form') {
    if (section.answers.length === 0) write(document, part, 'P', 'No answers');
    for (const { question, depth, isGroup, values } of section.answers) {
      document.moveDown(0.3);
      write(document, part, isGroup ? 'H3' : 'P', question, { bold: isGroup, indent: depth * INDENT, size: isGroup ? 11 : 10, quiet: !isGroup });
      for (const { value, origin } of values) write(document, part, 'P', `${value}   [${origin}]`, { indent: (depth + 1) * INDENT });
    }
  }
  part.end();
}

interface Look { readonly size?: number; readonly bold?: boolean; readonly indent?: number; readonly quiet?: boolean }

function write(document: Pdf, parent: Structure, structType: string, text: string, { size = 10, bold = false, indent = 0, quiet = false }: Look = {}): void {
  const left = MARGIN.left + Math.min(indent, 10 * INDENT);
  document.font(bold ? 'bold' : 'regular', size).fillColor(quiet ? QUIET : INK);
  document.text(printable(text), left, document.y, { width: document.page.width - MARGIN.right - left, structParent: parent, structType, paragraphGap: 2 });
}

function writeHeadsAndFeet(document: Pdf, packet: Packet): void {
  const { start, count } = document.bufferedPageRange();
  for (let page = start; page < start + count; page += 1) {
    document.switchToPage(page);
    const { width, height } = document.page;
    const across = { width: width - MARGIN.left - MARGIN.right, ellipsis: true, height: 24 };
    // Text below the margin would begin another page.
    document.page.margins = { ...MARGIN, top: 0, bottom: 0 };
    document.markContent('Artifact', { type: 'Pagination' });
    document.font('bold', 9).fillColor(INK).text(printable(packet.patient), MARGIN.left, 28, across);
    document.moveTo(MARGIN.left, 52).lineTo(width - MARGIN.right, 52).lineWidth(0.5).strokeColor(RULE).stroke();
    document.font('regular', 8).fillColor(QUIET).text(`Case ${packet.caseNumber} · made ${packet.madeAt.slice(0, 16).replace('T', ' ')} UTC · page ${page - start + 1} of ${count}`, MARGIN.left, height - 40, across);
    document.endMarkedContent();
    document.page.margins = MARGIN;
  }
}

/** Line ends as the reader knows them, other control characters left out. */
function printable(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '').normalize('NFC');
}
