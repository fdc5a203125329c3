import './panel.css';
import { showScreen } from '../ui/frame.tsx';
import { messages } from './messages.ts';
import { takeAddress } from './panel-address.ts';
import { Panel } from './panel.tsx';

showScreen(messages.title, <Panel address={takeAddress()} />);
