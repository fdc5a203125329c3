import './learning.css';
import { showScreen } from '../ui/frame.tsx';
import { LearningScreen } from './learning-screen.tsx';
import { messages } from './messages.ts';

showScreen(messages.title, <LearningScreen />);
