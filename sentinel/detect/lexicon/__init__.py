"""What words mean: signs of failure and success, what touches privileges, what probes; nothing else knows words."""
