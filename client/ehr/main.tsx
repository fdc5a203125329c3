import './ehr.css';
import { showScreen } from '../ui/frame.tsx';
import { messages } from './messages.ts';
import { SandboxEhr } from './sandbox-ehr.tsx';

showScreen(messages.title, <SandboxEhr />);
