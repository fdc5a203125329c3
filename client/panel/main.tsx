import './panel.css';
import { showScreen } from '../ui/frame.tsx';
import { messages } from './messages.ts';
import { Panel } from './panel.tsx';

showScreen(messages.title, <Panel />);
